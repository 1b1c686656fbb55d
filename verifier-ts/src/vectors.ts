// Runs the vectors of docs/sealed/vectors, under Node and in a browser.

import { admit, decodeState, openGrant, Refused, type Bytes } from "./index.ts";
import { base64, equal, fromBase64, fromHex, hashOf, hex } from "./bytes.ts";
import { encode, parse, signing, type Plain } from "./canon.ts";
import { deriveKey, openBlob } from "./cobblestone.ts";
import { grantInfo } from "./grant.ts";
import { rawFromDER, readKey, type Key } from "./p256.ts";

type Pool = { [id: string]: string };

interface AdmitCase {
  name: string;
  build: { app: string; platform: string; version: string; min_class: "production" | "staging"; root: string; floor: number; made: string };
  state: Plain;
  now: string;
  request: string;
  thumbprint: string;
  answer?: Plain;
  raw?: string;
  key: string;
  blobs: { [address: string]: string };
  extra: string[];
  expect: Outcome;
}

export interface Outcome {
  code: string;
  action: string;
  seq: number;
  tree: string;
  state: string;
}

/** expand puts the texts of the pool in place of their names. */
function expand(v: Plain, pool: Pool): Plain {
  if (typeof v === "string") return v.startsWith("#") ? pool[v]! : v;
  if (Array.isArray(v)) return v.map((m) => expand(m, pool));
  if (typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, m]) => [k, expand(m!, pool)]));
  return v;
}

export async function runAdmit(c: AdmitCase, pool: Pool): Promise<Outcome> {
  const bytes = (s: string): Bytes => fromBase64(expand(s, pool) as string)!;
  try {
    const b = c.build;
    const build = { app: b.app, platform: b.platform, version: b.version, minClass: b.min_class, root: bytes(b.root), floor: b.floor, made: Date.parse(b.made) };
    const got = await admit(
      decodeState(encode(expand(c.state, pool))),
      {
        build, now: Date.parse(c.now), request: bytes(c.request), thumbprint: c.thumbprint,
        answer: c.raw ? bytes(c.raw) : encode(expand(c.answer!, pool)),
      },
      {
        key: async (m) => (m.encryption.mode === "none" ? undefined : fromHex(c.key)),
        blob: async (f) => bytes(c.blobs[f.blob]!),
        extra: async () => c.extra,
      },
    );
    const m = got.bundle?.manifest;
    return { code: "", action: got.action, seq: m?.seq ?? 0, tree: m?.tree ?? "", state: await hashOf(got.state) };
  } catch (e) {
    if (!(e instanceof Refused)) throw e;
    return { code: e.code, action: "", seq: 0, tree: "", state: e.state ? await hashOf(e.state) : "" };
  }
}

type Case = { [field: string]: any };

/** run returns what is wrong, one line each. */
export async function run(file: string, text: string): Promise<{ cases: number; wrong: string[] }> {
  const v = JSON.parse(text) as { cases: Case[]; pool?: Pool };
  const wrong: string[] = [];
  const check = checks[Object.keys(checks).find((k) => file.startsWith(k)) ?? ""];
  if (!check) return { cases: 0, wrong: [`${file}: no program for these vectors`] };
  for (const c of v.cases) {
    const why = await check(c, v.pool ?? {}).catch((e: unknown) => String(e));
    if (why !== "") wrong.push(`${file}: ${c["name"]}: ${why}`);
  }
  return { cases: v.cases.length, wrong };
}

/** outcomes are what admit says of each case, for comparison with another implementation. */
export async function outcomes(text: string): Promise<Outcome[]> {
  const v = JSON.parse(text) as { cases: AdmitCase[]; pool: Pool };
  const out: Outcome[] = [];
  for (const c of v.cases) out.push(await runAdmit(c, v.pool));
  return out;
}

const differs = (what: string, got: unknown, want: unknown): string => (JSON.stringify(got) === JSON.stringify(want) ? "" : `${what} is ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);

const attempt = async <T>(f: () => Promise<T> | T): Promise<T | undefined> => {
  try {
    return await f();
  } catch (e) {
    if (e instanceof Refused) return undefined;
    throw e;
  }
};

const checks: { [prefix: string]: (c: Case, pool: Pool) => Promise<string> } = {
  "admit-": async (c, pool) => {
    const got = await runAdmit(c as AdmitCase, pool);
    return differs("the outcome", [got.code, got.action, got.seq, got.tree, got.state], [c["expect"].code, c["expect"].action, c["expect"].seq, c["expect"].tree, c["expect"].state]);
  },
  "crypto-canon": async (c) => {
    const b = fromHex(c["document"])!;
    const ok = (await attempt(() => parse(b, 1 << 20))) !== undefined;
    return differs("ok", ok, c["ok"]) || (ok ? differs("signing", hex(signing(b)), c["signing"]) : "");
  },
  "crypto-p256": async (c) => {
    const key = await attempt(() => readKey(c["key"] as Key));
    const der = fromHex(c["der"])!;
    const raw = rawFromDER(der);
    const ok = key !== undefined && (await key.verify(fromHex(c["message"])!, der));
    return differs("ok", ok, c["ok"]) || differs("keyid", key?.id ?? "", c["keyid"]) || differs("raw", raw ? hex(raw) : "", c["raw"]);
  },
  "crypto-cobblestone": async (c) => {
    const blob = { app: c["app"] as string, sha256: c["sha256"] as string, size: c["size"] as number };
    const epoch = fromHex(c["epoch"])!;
    const d = await deriveKey(epoch, blob);
    let stored = fromHex(c["blob"])!;
    if (c["flip"] >= 0) stored[c["flip"] as number]! ^= 1;
    if (c["cut"] >= 0) stored = stored.slice(0, c["cut"]);
    const more = fromHex(c["append"])!;
    const all = new Uint8Array(stored.length + more.length);
    all.set(stored);
    all.set(more, stored.length);
    const ok = (await attempt(() => openBlob(epoch, blob, all))) !== undefined;
    return differs("key", hex(d.key), c["key"]) || differs("context", hex(d.context), c["context"]) || differs("ok", ok, c["ok"]);
  },
  "crypto-grant": async (c) => {
    const point = fromHex(c["public"])!;
    const url = (b: Bytes): string => base64(b).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    const jwk = { kty: "EC", crv: "P-256", d: url(fromHex(c["private"])!), x: url(point.slice(1, 33)), y: url(point.slice(33)) };
    const privateKey = await crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
    const info = { app: c["app"] as string, manifest: c["manifest"] as string, keyEpoch: c["key_epoch"] as number, thumbprint: c["thumbprint"] as string, notAfter: c["not_after"] as string };
    const got = await attempt(() => openGrant({ privateKey, publicKey: point }, info, fromHex(c["enc"])!, fromHex(c["ct"])!));
    const bound = await attempt(() => grantInfo(info));
    return differs("key", got ? hex(got) : "", c["key"]) || (bound && !equal(bound, fromHex(c["info"])!) ? "info is another" : "");
  },
};
