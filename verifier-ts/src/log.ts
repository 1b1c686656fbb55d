// Proofs that a manifest is in the log (docs/sealed/spec-log.md).

import { base64, equal, fromBase64, fromHex, join, refuse, sha256, utf8, type Bytes } from "./bytes.ts";
import { byteLength } from "./shape.ts";
import type { Trust } from "./documents.ts";

/** A verified state of the log. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Bytes;
}

/** Who must have signed a line of a checkpoint. */
interface Line {
  name: string;
  hash: string;
  witness: boolean;
  verify: (message: Bytes, sig: Bytes) => Promise<boolean>;
}

const visible = /^[\x21-\x2a\x2c-\x7e]{1,200}$/;
const maxHashes = 63;

async function leafHash(manifest: string): Promise<Bytes> {
  return sha256(join(Uint8Array.of(0), utf8(`waxwing/sealed-log/v1\nmanifest\n${manifest}\n`)));
}

async function nodeHash(a: Bytes, b: Bytes): Promise<Bytes> {
  return sha256(join(Uint8Array.of(1), a, b));
}

/** checkProof demands that the manifest is in the log, and the log is the kept one, grown. */
export async function checkProof(proof: string, manifest: string, trust: Trust, kept: Checkpoint | undefined, consistency: Bytes[]): Promise<Checkpoint> {
  const p = parseProof(proof);
  const cp = await advance(p.checkpoint, trust, kept, consistency);
  const fail = (): never => refuse("entry_not_proven", "the entry is not in the log that the checkpoint signs");
  if (p.index >= cp.size) fail();
  const root = await runRecord(p.hashes, 0, cp.size, p.index, await leafHash(manifest));
  if (!root || !equal(root, cp.root)) fail();
  return cp;
}

/** advance takes over a newer checkpoint. */
export async function advance(signed: string, trust: Trust, kept: Checkpoint | undefined, consistency: Bytes[]): Promise<Checkpoint> {
  if (consistency.length > maxHashes) refuse("proof_invalid", "the proof has too many hashes");
  const cp = await openCheckpoint(signed, trust);
  if ((!kept || kept.size === 0) && consistency.length > 0) refuse("proof_invalid", "there is nothing to go on from");
  if (!kept || kept.size === 0) return cp;
  if (kept.size === cp.size && equal(kept.root, cp.root) && consistency.length === 0) return cp;
  const both = kept.size < cp.size ? await runTree(consistency, 0, cp.size, kept.size, kept.root) : undefined;
  if (!both || !equal(both[0], kept.root) || !equal(both[1], cp.root)) {
    refuse(cp.size < kept.size ? "log_shrunk" : "log_forked", "the log does not contain the one that was kept");
  }
  return cp;
}

function split(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

async function runRecord(p: Bytes[], lo: number, hi: number, n: number, leaf: Bytes): Promise<Bytes | undefined> {
  if (lo + 1 === hi) return p.length === 0 ? leaf : undefined;
  const last = p.at(-1);
  if (!last) return undefined;
  const k = split(hi - lo);
  const left = n < lo + k;
  const th = left ? await runRecord(p.slice(0, -1), lo, lo + k, n, leaf) : await runRecord(p.slice(0, -1), lo + k, hi, n, leaf);
  return th && (left ? nodeHash(th, last) : nodeHash(last, th));
}

async function runTree(p: Bytes[], lo: number, hi: number, n: number, old: Bytes): Promise<[Bytes, Bytes] | undefined> {
  const last = p.at(-1);
  if (n === hi) {
    if (lo === 0) return p.length === 0 ? [old, old] : undefined;
    return p.length === 1 && last ? [last, last] : undefined;
  }
  if (!last) return undefined;
  const k = split(hi - lo);
  if (n <= lo + k) {
    const both = await runTree(p.slice(0, -1), lo, lo + k, n, old);
    return both && [both[0], await nodeHash(both[1], last)];
  }
  const both = await runTree(p.slice(0, -1), lo + k, hi, n, old);
  return both && [await nodeHash(last, both[0]), await nodeHash(last, both[1])];
}

function cut(s: string): [string, string, boolean] {
  const i = s.indexOf("\n");
  return i < 0 ? [s, "", false] : [s.slice(0, i), s.slice(i + 1), true];
}

function parseProof(text: string): { index: number; hashes: Bytes[]; checkpoint: string } {
  const fail = (): never => refuse("proof_invalid", "this is not a proof of a log");
  const start = "c2sp.org/tlog-proof@v1\n";
  if (byteLength(text) > 16 << 10 || !text.startsWith(start)) fail();
  let [line, rest] = cut(text.slice(start.length));
  if (line.startsWith("extra ")) {
    if (!fromBase64(line.slice(6))?.length) fail();
    [line, rest] = cut(rest);
  }
  const index = Number(/^index (0|[1-9][0-9]{0,15})$/.exec(line)?.[1] ?? fail());
  if (!Number.isSafeInteger(index)) fail();
  const hashes: Bytes[] = [];
  for (;;) {
    let found: boolean;
    [line, rest, found] = cut(rest);
    if (!found) fail();
    if (line === "") break;
    const raw = fromBase64(line);
    if (raw?.length !== 32 || hashes.length === maxHashes) fail();
    hashes.push(raw!);
  }
  if (rest === "") fail();
  return { index, hashes, checkpoint: rest };
}

async function lines(t: Trust): Promise<Line[]> {
  const fail = (): never => refuse("log_policy_invalid", "the log or a witness of trust.json cannot be asked for");
  const hash = (b: Bytes): string => Array.from(b.subarray(0, 4), (x) => x.toString(16).padStart(2, "0")).join("");
  if (!visible.test(t.log.name)) fail();
  const out: Line[] = [{ name: t.log.name, hash: hash(await sha256(t.logKey.der)), witness: false, verify: t.logKey.verify }];
  for (const w of t.witnesses.keys) {
    const pub = fromHex(w.ed25519);
    if (!visible.test(w.name) || !pub) fail();
    const id = hash(await sha256(join(utf8(w.name + "\n"), Uint8Array.of(4), pub!)));
    out.push({ name: w.name, hash: id, witness: true, verify: (m, s) => cosigned(pub!, m, s) });
  }
  return out;
}

/** cosigned verifies a witness's line: 8 bytes of time, then Ed25519. A platform without Ed25519 says no. */
async function cosigned(pub: Bytes, message: Bytes, sig: Bytes): Promise<boolean> {
  if (sig.length !== 72) return false;
  const at = new DataView(sig.buffer, sig.byteOffset).getBigUint64(0);
  if (at >= 1n << 63n) return false;
  try {
    const key = await crypto.subtle.importKey("raw", pub, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, sig.slice(8), join(utf8(`cosignature/v1\ntime ${at}\n`), message));
  } catch {
    return false;
  }
}

async function openCheckpoint(signed: string, trust: Trust): Promise<Checkpoint> {
  const known = await lines(trust);
  const fail = (): never => refuse("checkpoint_invalid", "this is not a checkpoint");
  const end = signed.lastIndexOf("\n\n");
  if (byteLength(signed) > 8 << 10 || /[\u0000-\u0009\u000b-\u001f]/.test(signed) || end < 0 || !signed.endsWith("\n") || end + 2 >= signed.length) fail();
  const body = signed.slice(0, end + 1);
  const all = signed.slice(end + 2, -1).split("\n");
  if (all.length > 32 || new Set(all).size !== all.length) fail();
  const good = new Set<Line>();
  for (const line of all) {
    const m = /^\u2014 ([^+\s\u0085]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    const raw = fromBase64(m?.[2] ?? "");
    if (!m || !raw || raw.length < 5) fail();
    const id = Array.from(raw!.subarray(0, 4), (x) => x.toString(16).padStart(2, "0")).join("");
    const by = known.filter((k) => k.name === m![1] && k.hash === id);
    if (by.length > 1 || (by[0] && good.has(by[0]))) fail();
    if (by[0] && !(await by[0].verify(utf8(body), raw!.slice(4)))) unsigned();
    if (by[0]) good.add(by[0]);
  }
  if (good.size === 0) unsigned();
  const cp = parseCheckpoint(body);
  if (!good.has(known[0]!) || cp.origin !== trust.log.name) unsigned();
  if ([...good].filter((k) => k.witness).length < trust.witnesses.threshold) refuse("witnesses_missing", "too few witnesses cosigned the checkpoint");
  return cp;
}

function unsigned(): never {
  refuse("checkpoint_unsigned", "the checkpoint is not signed by the keys of its log");
}

function parseCheckpoint(text: string): Checkpoint {
  const fail = (): never => refuse("checkpoint_invalid", "this is not a checkpoint");
  const [origin, a] = cut(text);
  const [digits, b] = cut(a);
  const [root, rest, ended] = cut(b);
  if (origin === "" || !ended || (rest !== "" && !rest.endsWith("\n")) || rest.startsWith("\n") || rest.includes("\n\n")) fail();
  const size = /^(0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : fail();
  const raw = fromBase64(root);
  if (!Number.isSafeInteger(size) || raw?.length !== 32 || base64(raw) !== root) fail();
  return { origin, size, root: raw! };
}
