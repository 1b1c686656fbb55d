// TUF metadata (docs/sealed/spec-metadata.md): reading and rules of each document.

import { fromHex, refuse, type Bytes } from "./bytes.ts";
import { signing } from "./canon.ts";
import { isAppID } from "./documents.ts";
import { bad, byteLength, flag, integer, list, map, object, rawObject, read, text, time, uint32 } from "./shape.ts";
import { keyShape, rawFromDER, readKey, type Key, type Verifier } from "./p256.ts";

export const maxRoot = 64 << 10;
export const maxTimestamp = 16 << 10;
export const maxDocument = 1 << 20;
const code = "tuf_document_invalid";

const envelopeShape = object({ signatures: list(object({ keyid: text, sig: text })), signed: rawObject });
const head = { _type: text, expires: time, spec_version: text, version: uint32 };
const metaShape = object({ hashes: object({ sha256: text }), length: integer, version: uint32 });
const roleShape = object({ keyids: list(text), threshold: integer });
const customShape = object({ app: text, seq: integer });
const targetShape = object({ custom: { optional: customShape, empty: () => false }, hashes: object({ sha256: text }), length: integer });
const delegatedShape = object({ keyids: list(text), name: text, paths: list(text), terminating: flag, threshold: integer });

const rootShape = object({
  ...head, consistent_snapshot: flag, keys: map(keyShape), roles: object({ root: roleShape, snapshot: roleShape, targets: roleShape, timestamp: roleShape }),
});
const timestampShape = object({ ...head, meta: object({ "snapshot.json": metaShape }) });
const snapshotShape = object({ ...head, meta: map(metaShape) });
const targetsShape = object({ ...head, delegations: object({ keys: map(keyShape), roles: list(delegatedShape) }), targets: map(targetShape) });

export type Meta = ReturnType<typeof metaShape>;
export type Target = ReturnType<typeof targetShape>;

/** The keys of a role and how many must sign. */
export interface Ring {
  keys: Verifier[];
  threshold: number;
}

/** What all documents have. */
export class Doc {
  readonly role: string;
  readonly raw: Bytes;
  readonly version: number;
  readonly expires: number;
  private readonly message: Bytes;
  private readonly sigs: Map<string, Bytes>;

  constructor(role: string, raw: Bytes, opened: Opened, h: { version: number; expires: number }) {
    this.role = role;
    this.raw = raw;
    this.version = h.version;
    this.expires = h.expires;
    this.message = opened.message;
    this.sigs = opened.sigs;
  }

  async signedBy(ring: Ring): Promise<boolean> {
    let valid = 0;
    for (const k of ring.keys) {
      const sig = this.sigs.get(k.id);
      if (sig && (await k.verify(this.message, sig))) valid++;
    }
    return valid >= ring.threshold;
  }

  async demand(ring: Ring): Promise<void> {
    if (!(await this.signedBy(ring))) refuse("tuf_threshold_not_met", `the document of ${this.role}, version ${this.version}, has too few valid signatures`);
  }

  fresh(now: number): void {
    if (now >= this.expires) refuse("tuf_expired", `the document of ${this.role}, version ${this.version}, expired`);
  }
}

export class Root extends Doc {
  readonly roles: Record<"root" | "snapshot" | "targets" | "timestamp", Ring>;

  constructor(raw: Bytes, o: Opened, h: { version: number; expires: number }, roles: Root["roles"]) {
    super("root", raw, o, h);
    this.roles = roles;
  }
}

export class Timestamp extends Doc {
  readonly snapshot: Meta;

  constructor(raw: Bytes, o: Opened, h: { version: number; expires: number }, snapshot: Meta) {
    super("timestamp", raw, o, h);
    this.snapshot = snapshot;
  }
}

export class Snapshot extends Doc {
  readonly meta = new Map<string, Meta>();
}

export interface Delegation {
  name: string;
  ring: Ring;
  covers: (path: string) => boolean;
}

export class Targets extends Doc {
  readonly targets: Map<string, Target>;
  readonly delegations: Delegation[];

  constructor(role: string, raw: Bytes, o: Opened, h: { version: number; expires: number }, targets: Map<string, Target>, delegations: Delegation[]) {
    super(role, raw, o, h);
    this.targets = targets;
    this.delegations = delegations;
  }
}

interface Opened {
  signed: Bytes;
  message: Bytes;
  sigs: Map<string, Bytes>;
}

function isHash(s: string): boolean {
  return /^[0-9a-f]{64}$/.test(s);
}

function openDocument(b: Bytes, max: number): Opened {
  const e = read(b, max, envelopeShape, "metadata");
  if (e.signatures.length < 1 || e.signatures.length > 16) bad(code, "signatures", "are not 1 to 16");
  const sigs = new Map<string, Bytes>();
  for (const s of e.signatures) {
    const der = fromHex(s.sig);
    if (!der || !rawFromDER(der)) refuse("p256_signature_invalid", "a signature is not strict DER in lower-case hex");
    if (!isHash(s.keyid) || sigs.has(s.keyid)) bad(code, "signatures", "have a key id that is none, or one twice");
    sigs.set(s.keyid, der);
  }
  return { signed: e.signed, message: signing(e.signed), sigs };
}

function checkHead(h: { _type: string; spec_version: string; version: number }, type: string): void {
  if (h._type !== type) bad(code, "_type", `is not ${type}`);
  if (h.spec_version !== "1.0.34") bad(code, "spec_version", "is not 1.0.34");
  if (h.version === 0) bad(code, "version", "is 0");
}

function checkMeta(m: Meta): void {
  if (m.version === 0 || m.length < 1 || m.length > maxDocument || !isHash(m.hashes.sha256)) bad(code, "meta", "is none");
}

async function readKeys(all: Map<string, Key>): Promise<Map<string, Verifier>> {
  if (all.size > 32) bad(code, "keys", "are too many");
  const out = new Map<string, Verifier>();
  for (const [id, k] of all) {
    const v = await readKey(k);
    if (v.id !== id) bad(code, "keys", "have a key under another id");
    out.set(id, v);
  }
  return out;
}

function ring(r: { keyids: string[]; threshold: number }, keys: Map<string, Verifier>, used: Set<string>): Ring {
  const n = r.keyids.length;
  if (n < 1 || n > 16 || new Set(r.keyids).size !== n || r.threshold < 1 || r.threshold > n) bad(code, "roles", "have too few or too many keys, one twice, or another threshold");
  const list = r.keyids.map((id) => keys.get(id) ?? bad(code, "roles", "have a key that is not listed"));
  for (const id of r.keyids) used.add(id);
  return { keys: list, threshold: r.threshold };
}

function allUsed(keys: Map<string, Verifier>, used: Set<string>): void {
  if (keys.size !== used.size) bad(code, "keys", "have one that no role has");
}

export async function readRoot(b: Bytes): Promise<Root> {
  tooLong("root", b, maxRoot);
  const o = openDocument(b, maxRoot);
  const r = read(o.signed, maxRoot, rootShape, "root");
  checkHead(r, "root");
  if (!r.consistent_snapshot) bad(code, "consistent_snapshot", "is false");
  const keys = await readKeys(r.keys);
  const used = new Set<string>();
  const roles = {
    root: ring(r.roles.root, keys, used), timestamp: ring(r.roles.timestamp, keys, used),
    snapshot: ring(r.roles.snapshot, keys, used), targets: ring(r.roles.targets, keys, used),
  };
  allUsed(keys, used);
  return new Root(b, o, r, roles);
}

export function readTimestamp(b: Bytes): Timestamp {
  const o = openDocument(b, maxTimestamp);
  const t = read(o.signed, maxTimestamp, timestampShape, "timestamp");
  checkHead(t, "timestamp");
  checkMeta(t.meta["snapshot.json"]);
  return new Timestamp(b, o, t, t.meta["snapshot.json"]);
}

export function readSnapshot(b: Bytes): Snapshot {
  const o = openDocument(b, maxDocument);
  const s = read(o.signed, maxDocument, snapshotShape, "snapshot");
  checkHead(s, "snapshot");
  if (s.meta.size > 9 || !s.meta.has("targets.json")) bad(code, "meta", "names too many roles, or not targets.json");
  const out = new Snapshot("snapshot", b, o, s);
  for (const [name, m] of s.meta) {
    const role = name.endsWith(".json") ? name.slice(0, -5) : "";
    if (role !== "targets" && !isRoleName(role)) bad(code, "meta", "names what is no targets role");
    checkMeta(m);
    out.meta.set(role, m);
  }
  return out;
}

function isRoleName(s: string): boolean {
  return /^[a-z][a-z0-9_-]{0,39}$/.test(s) && !["root", "timestamp", "snapshot", "targets"].includes(s);
}

export async function readTargets(role: string, b: Bytes): Promise<Targets> {
  const o = openDocument(b, maxDocument);
  const t = read(o.signed, maxDocument, targetsShape, "targets");
  checkHead(t, "targets");
  for (const [path, f] of t.targets) checkTarget(path, f);
  if (t.delegations.roles.length > 8) bad(code, "delegations.roles", "are too many");
  const keys = await readKeys(t.delegations.keys);
  const used = new Set<string>();
  const names = new Set<string>();
  const delegations = t.delegations.roles.map((d): Delegation => {
    if (!isRoleName(d.name) || names.has(d.name) || !d.terminating) bad(code, "delegations.roles", "have a name that is none or twice, or are not terminating");
    names.add(d.name);
    const r = ring(d, keys, used);
    checkPatterns(d.paths);
    return { name: d.name, ring: r, covers: (path) => d.paths.some((p) => matches(p, path)) };
  });
  allUsed(keys, used);
  if (role !== "targets" && delegations.length > 0) bad(code, "delegations.roles", "are in a delegated document");
  return new Targets(role, b, o, t, t.targets, delegations);
}

function checkTarget(path: string, f: Target): void {
  if (f.length < 1 || f.length > 4 << 20 || !isHash(f.hashes.sha256)) bad(code, "targets", "have a length or hash that is none");
  if (path === "trust/trust.json") {
    if (f.custom) bad(code, "targets", "have custom values of trust.json");
    return;
  }
  const m = /^(?:production|staging)\/([^/]+)\/([1-9][0-9]*)\.manifest$/.exec(path);
  const seq = Number(m?.[2] ?? "0");
  if (!m || byteLength(path) > 512 || !isAppID(m[1]!) || !Number.isSafeInteger(seq)) bad(code, "targets", "have a path that is none");
  if (f.custom?.app !== m[1] || f.custom?.seq !== seq) bad(code, "targets", "have custom values that their path does not say");
}

function checkPatterns(paths: string[]): void {
  if (paths.length < 1 || paths.length > 16 || new Set(paths).size !== paths.length) bad(code, "paths", "are none, too many, or one twice");
  for (const p of paths) {
    if (byteLength(p) > 512 || !p.startsWith("staging/") || !/^[A-Za-z0-9._/*?-]+$/.test(p)) bad(code, "paths", "have one that is no pattern here");
  }
}

/** matches says whether a pattern has the path; * and ? match no slash. */
export function matches(pattern: string, path: string): boolean {
  const p = pattern.split("/");
  const s = path.split("/");
  return p.length === s.length && p.every((part, i) => new RegExp("^" + part.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".") + "$", "s").test(s[i]!));
}

export function tooLong(role: string, b: Bytes, max: number): void {
  if (b.length > max) refuse("tuf_document_too_long", `the document of ${role} has ${b.length} bytes, at most ${max} are allowed here`);
}
