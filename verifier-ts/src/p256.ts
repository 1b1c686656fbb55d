// ECDSA P-256 over SHA-256: keys as TUF writes them, signatures in strict DER.

import { base64, fromBase64, fromHex, hashOf, join, refuse, type Bytes } from "./bytes.ts";
import { encode, signing } from "./canon.ts";
import { object, text } from "./shape.ts";

export interface Key {
  keytype: string;
  scheme: string;
  keyval: { public: string };
}

export const keyShape = object({ keytype: text, keyval: object({ public: text }), scheme: text });

/** What SubjectPublicKeyInfo of P-256 starts with, before the 65 bytes of the point. */
const spki = fromHex("3059301306072a8648ce3d020106082a8648ce3d030107034200")!;
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function pem(der: Uint8Array): string {
  return "-----BEGIN PUBLIC KEY-----\n" + base64(der).replace(/.{1,64}/g, "$&\n") + "-----END PUBLIC KEY-----\n";
}

/** A key that was read: its id, its SubjectPublicKeyInfo and what verifies. */
export interface Verifier {
  id: string;
  der: Bytes;
  verify(message: Uint8Array, der: Uint8Array): Promise<boolean>;
}

/** isPoint says whether b is an uncompressed point of P-256. */
export async function isPoint(b: Uint8Array): Promise<boolean> {
  return b.length === 65 && b[0] === 4 && (await importPoint(b)) !== undefined;
}

async function importPoint(point: Uint8Array): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey("raw", point as Bytes, { name: "ECDSA", namedCurve: "P-256" }, true, ["verify"]);
  } catch {
    return undefined;
  }
}

/** readKey refuses all but the one form of a key. */
export async function readKey(k: Key): Promise<Verifier> {
  const fail = (): never => refuse("p256_key_invalid", "the key is not one of P-256 in its one form");
  if (k.keytype !== "ecdsa" || k.scheme !== "ecdsa-sha2-nistp256" || k.keyval.public.length > 512) fail();
  const body = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----\n$/.exec(k.keyval.public)?.[1];
  const der = fromBase64((body ?? "").replaceAll("\n", "")) ?? fail();
  if (der.length !== 91 || spki.some((x, i) => der[i] !== x) || pem(der) !== k.keyval.public) fail();
  const point = der.slice(spki.length);
  const key = (point[0] === 4 ? await importPoint(point) : undefined) ?? fail();
  const id = await hashOf(signing(encode({ keytype: k.keytype, keyval: { public: k.keyval.public }, scheme: k.scheme })));
  return {
    id,
    der,
    verify: async (message, sig) => {
      const raw = rawFromDER(sig);
      return raw !== undefined && (await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, raw, message as Bytes));
    },
  };
}

/** rawFromDER turns a strict DER signature into r‖s; undefined for any other bytes. */
export function rawFromDER(der: Uint8Array): Bytes | undefined {
  if (der.length < 8 || der.length > 72 || der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const r = number(der, 2);
  const s = r && number(der, r.end);
  return r && s && s.end === der.length ? join(r.n, s.n) : undefined;
}

function number(der: Uint8Array, at: number): { n: Bytes; end: number } | undefined {
  const size = der[at + 1] ?? 0;
  const end = at + 2 + size;
  if (der[at] !== 0x02 || size < 1 || size > 33 || end > der.length) return undefined;
  let b = der.slice(at + 2, end);
  if (b[0]! >= 0x80) return undefined; // negative
  if (b[0] === 0 && b.length > 1) {
    if (b[1]! < 0x80) return undefined; // not minimal
    b = b.slice(1);
  }
  if (b.length > 32) return undefined;
  const n = new Uint8Array(32);
  n.set(b, 32 - b.length);
  let v = 0n;
  for (const x of n) v = (v << 8n) | BigInt(x);
  return v >= 1n && v < order ? { n, end } : undefined;
}
