// The documents of sealed updates (docs/sealed/spec-manifest.md): their fields and
// the rules that each one keeps.

import { compare, fromHex, hashOf, join, refuse, sha256, utf8, hex, type Bytes } from "./bytes.ts";
import { base64Bytes, byteLength, flag, hexBytes, integer, list, object, optional, optionalObject, read, text, time } from "./shape.ts";
import { isPoint, keyShape, readKey, type Key, type Verifier } from "./p256.ts";
import { goodPaths } from "./paths.ts";
import { holds, parseVersion } from "./versions.ts";

export const trustPath = "trust/trust.json";
export const maxVersion = 2 ** 32 - 1;
const maxTotal = 512 << 20;
const maxText = 16 << 10;

export function targetPath(type: string, app: string, seq: number): string {
  return `${type}/${app}/${seq}.manifest`;
}

class Rules {
  private readonly name: string;

  constructor(name: string, type: string) {
    this.name = name;
    if (type !== name) refuse("sealed_type_wrong", `this is a document of the type ${type}, not a ${name}`);
  }

  that(ok: boolean, field: string, why = "has no meaning"): void {
    if (!ok) refuse("sealed_document_invalid", `in the ${this.name}, ${field} ${why}`);
  }

  within(field: string, n: number, lo: number, hi: number): void {
    this.that(n >= lo && n <= hi, field, `is ${n}, and must be from ${lo} to ${hi}`);
  }

  hash(field: string, v: string): void {
    this.that(/^[0-9a-f]{64}$/.test(v), field, "is no SHA-256");
  }

  hashOrNone(field: string, v: string): void {
    if (v !== "") this.hash(field, v);
  }

  app(v: string): void {
    this.that(isAppID(v), "app", "is no app id");
  }

  line(field: string, v: string, most: number): void {
    this.that(byteLength(v) <= most && !/[\u0000-\u001f\u007f]/.test(v), field, "is not one line");
  }

  oneOf(field: string, v: string, ...all: string[]): void {
    this.that(all.includes(v), field, `must be one of ${all.join(", ")}`);
  }
}

export function isAppID(v: string): boolean {
  return v.length <= 255 && /^[A-Za-z0-9]+(\.[A-Za-z0-9_-]+)+$/.test(v);
}

const platform = /^[a-z0-9-]{1,32}$/;

// --- trust.json

const trustShape = object({
  _type: text, app: text, authority: list(keyShape), broker: list(object({ hpke: hexBytes, name: text })), director: list(keyShape),
  epochs: object({ min: integer }), floor: integer, log: object({ ed25519: text, name: text, p256: keyShape }),
  min_assurance: text, min_class: text, version: integer,
  witnesses: object({ keys: list(object({ ed25519: text, name: text })), threshold: integer }),
});

/** trust.json, read: with its keys ready to verify. */
export type Trust = ReturnType<typeof trustShape> & { directors: Verifier[]; logKey: Verifier };

async function keys(r: Rules, field: string, all: Key[], least: number): Promise<Verifier[]> {
  r.within(field, all.length, least, 8);
  const out = await Promise.all(all.map(readKey));
  r.that(new Set(out.map((k) => k.id)).size === out.length, field, "has a key twice");
  return out;
}

export async function readTrust(b: Bytes): Promise<Trust> {
  const t = read(b, 64 << 10, trustShape, "trust");
  const r = new Rules("trust", t._type);
  r.within("version", t.version, 1, Number.MAX_SAFE_INTEGER);
  r.app(t.app);
  const directors = await keys(r, "director", t.director, 1);
  await keys(r, "authority", t.authority, 0);
  r.that(t.log.name !== "", "log.name", "is empty");
  r.line("log.name", t.log.name, 255);
  r.hash("log.ed25519", t.log.ed25519);
  const logKey = await readKey(t.log.p256);
  const w = t.witnesses;
  r.within("witnesses.keys", w.keys.length, 0, 16);
  for (const k of w.keys) {
    r.that(k.name !== "", "witnesses.keys", "have an empty name");
    r.line("witnesses.keys", k.name, 255);
    r.hash("witnesses.keys", k.ed25519);
  }
  r.that(distinct(w.keys.map((k) => k.name)) && distinct(w.keys.map((k) => k.ed25519)), "witnesses.keys", "have one twice");
  r.within("witnesses.threshold", w.threshold, 0, w.keys.length);
  r.within("broker", t.broker.length, 0, 8);
  for (const k of t.broker) {
    r.that(k.name !== "" && (await isPoint(k.hpke)), "broker");
    r.line("broker", k.name, 255);
  }
  r.that(distinct(t.broker.map((k) => k.name)) && distinct(t.broker.map((k) => hex(k.hpke))), "broker", "has one twice");
  r.oneOf("min_assurance", t.min_assurance, "none", "software", "tee", "strongbox");
  r.oneOf("min_class", t.min_class, "staging", "production");
  return { ...t, directors, logKey };
}

function distinct(all: string[]): boolean {
  return new Set(all).size === all.length;
}

// --- manifest

const fileShape = object({ blob: text, enc_size: integer, path: text, sha256: text, size: integer });
const patchShape = object({ blob: text, enc_size: integer, format: text, from: text, path: text, sha256: text, size: integer });
const manifestShape = object({
  _type: text, app: text, class: text, created: time, encryption: object({ dedupe: flag, epoch: integer, mode: text }),
  files: list(fileShape), floor: integer, native: object({ max: text, min: text }), patches: list(patchShape), platforms: list(text),
  provenance: text, scan: text, seq: integer, suite: text, tree: text, version: text,
});

export type File = ReturnType<typeof fileShape>;
export type Manifest = ReturnType<typeof manifestShape>;

export async function readManifest(b: Bytes): Promise<Manifest> {
  const m = read(b, 4 << 20, manifestShape, "manifest");
  const r = new Rules("manifest", m._type);
  r.oneOf("suite", m.suite, "S1");
  r.app(m.app);
  r.within("platforms", m.platforms.length, 1, 8);
  r.that(m.platforms.every((p, i) => platform.test(p) && (i === 0 || m.platforms[i - 1]! < p)), "platforms");
  r.that(/^[\x21-\x7e]{1,100}$/.test(m.version) && !/["\\/:?#%&<>]/.test(m.version) && m.version !== "builtin" && m.version !== "unknown", "version");
  r.within("seq", m.seq, 1, Number.MAX_SAFE_INTEGER);
  r.within("floor", m.floor, 0, m.seq);
  r.oneOf("class", m.class, "production", "staging");
  r.that(parseVersion(m.native.min) !== undefined, "native.min");
  if (m.native.max !== "") r.that(parseVersion(m.native.max) !== undefined && holds(m.native.min, m.native.max, m.native.min), "native.max");
  r.hash("tree", m.tree);
  r.oneOf("encryption.mode", m.encryption.mode, "none", "cobblestone-256");
  r.within("encryption.epoch", m.encryption.epoch, m.encryption.mode === "none" ? 0 : 1, m.encryption.mode === "none" ? 0 : maxVersion);
  r.hashOrNone("provenance", m.provenance);
  r.hashOrNone("scan", m.scan);
  checkFiles(r, m);
  checkPatches(r, m);
  r.that((await treeHash(m.files)) === m.tree, "tree", "is not the hash of the files");
  return m;
}

function checkFiles(r: Rules, m: Manifest): void {
  r.within("files", m.files.length, 1, 5000);
  let total = 0;
  m.files.forEach((f, i) => {
    r.within("files.size", f.size, 0, maxTotal);
    r.hash("files.sha256", f.sha256);
    r.that(i === 0 || compare(m.files[i - 1]!.path, f.path) < 0, "files.path", "is not after the one before it");
    checkBlob(r, m, f);
    total += f.size;
  });
  r.that(total <= maxTotal, "files", "have too many bytes together");
  if (!goodPaths(m.files.map((f) => f.path))) refuse("sealed_path_invalid", "a path of the manifest cannot be installed on every device");
}

function checkBlob(r: Rules, m: Manifest, f: { blob: string; enc_size: number; sha256: string; size: number }): void {
  r.hash("blob", f.blob);
  r.that(f.enc_size === storedSize(m.encryption.mode, f.size), "enc_size", "is not what the file takes");
  r.that(m.encryption.mode !== "none" || f.blob === f.sha256, "blob", "must be the sha256 where nothing is encrypted");
}

function checkPatches(r: Rules, m: Manifest): void {
  r.within("patches", m.patches.length, 0, 20000);
  const byPath = new Map(m.files.map((f) => [f.path, f]));
  m.patches.forEach((p, i) => {
    const f = byPath.get(p.path);
    r.that(f !== undefined, "patches.path", "is no file of the manifest");
    r.hash("patches.from", p.from);
    r.that(p.from !== f?.sha256, "patches.from", "is the file itself");
    r.oneOf("patches.format", p.format, "zstd-dict");
    r.within("patches.size", p.size, 1, maxTotal);
    r.hash("patches.sha256", p.sha256);
    checkBlob(r, m, p);
    const q = m.patches[i - 1];
    if (q) {
      const c = compare(q.path, p.path);
      r.that(c < 0 || (c === 0 && q.from < p.from), "patches", "are not in order");
    }
  });
}

/** storedSize is how many bytes a blob has: Cobblestone's header, chunks and tags. */
export function storedSize(mode: string, size: number): number {
  return mode === "none" ? size : 56 + size + (Math.floor(size / 16384) + 1) * 16;
}

/** treeHash is the hash of all files; "" if one has no hash. */
export async function treeHash(files: File[]): Promise<string> {
  const parts: Uint8Array[] = [utf8("waxwing/tree/v1\n")];
  for (const f of files) {
    const path = utf8(f.path);
    const prefix: number[] = [];
    let n = path.length;
    for (; n >= 0x80; n >>>= 7) prefix.push((n & 0x7f) | 0x80);
    prefix.push(n);
    const size = new DataView(new ArrayBuffer(8));
    size.setBigUint64(0, BigInt(f.size));
    const sum = fromHex(f.sha256);
    if (sum?.length !== 32) return "";
    parts.push(Uint8Array.from(prefix), path, new Uint8Array(size.buffer), sum);
  }
  return hex(await sha256(join(...parts)));
}

// --- check request

const checkShape = object({
  _type: text, app: text, certificate: text, channel: text, custom_id: text, device: text, log: integer, native: text, nonce: hexBytes, os: text,
  platform: text, plugin: text, running: object({ seq: integer, sha256: text }), sig: hexBytes, v: integer,
  versions: object({ root: integer, snapshot: integer, targets: integer, timestamp: integer }),
});

export type CheckRequest = ReturnType<typeof checkShape>;

export function readRequest(b: Bytes): CheckRequest {
  const c = read(b, 8 << 10, checkShape, "check");
  const r = new Rules("check", c._type);
  r.within("v", c.v, 1, 1);
  r.within("nonce", c.nonce.length, 16, 16);
  r.app(c.app);
  r.that(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(c.device), "device");
  r.hashOrNone("certificate", c.certificate);
  r.that(platform.test(c.platform), "platform");
  r.that(c.native !== "", "native");
  r.line("native", c.native, 64);
  r.line("os", c.os, 64);
  r.line("plugin", c.plugin, 64);
  r.within("versions.root", c.versions.root, 1, maxVersion);
  r.that(Math.max(c.versions.timestamp, c.versions.snapshot, c.versions.targets) <= maxVersion, "versions");
  r.hashOrNone("running.sha256", c.running.sha256);
  r.that((c.running.seq === 0) === (c.running.sha256 === ""), "running");
  r.line("custom_id", c.custom_id, 255);
  r.line("channel", c.channel, 255);
  r.within("sig", c.sig.length, 0, 72);
  r.that(c.certificate !== "" || c.sig.length === 0, "sig");
  return c;
}

export async function deviceHash(app: string, device: string): Promise<string> {
  return hashOf(utf8(`waxwing/device/v1\n${app}\n${device}\n`));
}

// --- director

const directorShape = object({
  _type: text, action: text, app: text, arm: text, device: text, expires: time, floor: integer, issued: time, poll_after: integer, request: text,
  rollout: text, root: integer, target: object({ path: text, seq: integer, sha256: text }), timestamp: integer,
});

export type Director = ReturnType<typeof directorShape>;

export function readDirector(b: Bytes): Director {
  const d = read(b, 8 << 10, directorShape, "director");
  const r = new Rules("director", d._type);
  r.app(d.app);
  r.hash("request", d.request);
  r.hash("device", d.device);
  r.that(d.expires > d.issued && d.expires - d.issued <= 600_000, "expires");
  r.oneOf("action", d.action, "install", "stay", "builtin");
  const t = d.target;
  if (d.action === "install") {
    r.hash("target.sha256", t.sha256);
    r.within("target.seq", t.seq, 1, Number.MAX_SAFE_INTEGER);
    r.oneOf("target.path", t.path, targetPath("production", d.app, t.seq), targetPath("staging", d.app, t.seq));
  } else {
    r.that(t.path === "" && t.sha256 === "" && t.seq === 0, "target", "is there without the action install");
  }
  r.line("rollout", d.rollout, 64);
  r.oneOf("arm", d.arm, "none", "treated", "control");
  r.within("poll_after", d.poll_after, 0, 7 * 24 * 3600);
  r.within("root", d.root, 1, maxVersion);
  r.within("timestamp", d.timestamp, 1, maxVersion);
  return d;
}

// --- answer

const answerShape = object({
  checkpoint: optional(text), consistency: optional(list(hexBytes)), director: base64Bytes, manifest: optional(base64Bytes), proof: optional(text),
  roles: optionalObject(object({ staging: optional(base64Bytes), targets: optional(base64Bytes) })),
  roots: list(base64Bytes), snapshot: optional(base64Bytes), timestamp: optional(base64Bytes), trust: optional(base64Bytes),
});

export type Answer = ReturnType<typeof answerShape>;

export function readAnswer(b: Bytes): Answer {
  const a = read(b, 1 << 20, answerShape, "answer");
  const r = new Rules("answer", "answer");
  r.within("director", a.director.length, 1, 8 << 10);
  r.within("roots", a.roots.length, 0, 64);
  for (const root of a.roots) r.within("roots", root.length, 1, 64 << 10);
  r.that(byteLength(a.proof ?? "") <= maxText && byteLength(a.checkpoint ?? "") <= maxText, "proof");
  r.that(a.proof === undefined || a.checkpoint === undefined, "checkpoint", "is there besides a proof");
  r.within("consistency", (a.consistency ?? []).length, 0, 64);
  for (const h of a.consistency ?? []) r.within("consistency", h.length, 32, 32);
  r.that(a.consistency === undefined || a.proof !== undefined || a.checkpoint !== undefined, "consistency", "is there without a checkpoint");
  return a;
}
