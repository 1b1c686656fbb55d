// Bytes, text and hashes. Only the platform's own functions are used.

export type Bytes = Uint8Array<ArrayBuffer>;

/** Refused says that nothing is to be installed now. It never stops what runs. */
export class Refused extends Error {
  /** The stable code of docs/sealed: the same one in every implementation. */
  readonly code: string;
  /** What to fetch and decide again with; only of admit_documents_missing. */
  needs: Need[] = [];
  /** The state to keep, canonical; never weaker than the one given. Set by admit. */
  state: Bytes | undefined;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A document without which nothing can be decided. */
export interface Need {
  file: string;
  target: boolean;
  max: number;
  sha256: string;
}

export function refuse(code: string, message: string): never {
  throw new Refused(code, message);
}

const encoder = new TextEncoder();

export function utf8(s: string): Bytes {
  return encoder.encode(s) as Bytes;
}

export function join(...parts: Uint8Array[]): Bytes {
  let n = 0;
  for (const p of parts) n += p.length;
  const out = new Uint8Array(n);
  n = 0;
  for (const p of parts) {
    out.set(p, n);
    n += p.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let diff = 0;
  for (let i = 0; i < a.length; i++) diff |= a[i]! ^ b[i]!;
  return diff === 0;
}

/** Order of bytes of the UTF-8 form, which is that of code points. */
export function compare(a: string, b: string): number {
  const x = utf8(a);
  const y = utf8(b);
  const n = Math.min(x.length, y.length);
  for (let i = 0; i < n; i++) {
    if (x[i] !== y[i]) return x[i]! - y[i]!;
  }
  return x.length - y.length;
}

export function hex(b: Uint8Array): string {
  let s = "";
  for (const x of b) s += x.toString(16).padStart(2, "0");
  return s;
}

/** fromHex reads lower-case hex, nothing else; undefined for other text. */
export function fromHex(s: string): Bytes | undefined {
  if (s.length % 2 !== 0 || !/^[0-9a-f]*$/.test(s)) return undefined;
  const out = new Uint8Array(s.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = parseInt(s.slice(2 * i, 2 * i + 2), 16);
  return out;
}

export function base64(b: Uint8Array): string {
  let s = "";
  for (let i = 0; i < b.length; i += 8192) s += String.fromCharCode(...b.subarray(i, i + 8192));
  return btoa(s);
}

/** fromBase64 reads standard base64 in its one form; undefined for other text. */
export function fromBase64(s: string): Bytes | undefined {
  if (s.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(s)) return undefined;
  let raw: string;
  try {
    raw = atob(s);
  } catch {
    return undefined;
  }
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return base64(out) === s ? out : undefined;
}

export async function sha256(b: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", b as Bytes));
}

export async function hashOf(b: Uint8Array): Promise<string> {
  return hex(await sha256(b));
}

/** hmac of a key that is not empty. */
export async function hmac(hash: "SHA-256" | "SHA-512", key: Uint8Array, data: Uint8Array): Promise<Bytes> {
  const k = await crypto.subtle.importKey("raw", key as Bytes, { name: "HMAC", hash }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", k, data as Bytes));
}

/** hkdfExpand of RFC 5869; WebCrypto's HKDF cannot leave out the extract step. */
export async function hkdfExpand(hash: "SHA-256" | "SHA-512", prk: Uint8Array, info: Uint8Array, length: number): Promise<Bytes> {
  let out: Bytes = new Uint8Array(0);
  let last: Bytes = new Uint8Array(0);
  for (let i = 1; out.length < length; i++) {
    last = await hmac(hash, prk, join(last, info, Uint8Array.of(i)));
    out = join(out, last);
  }
  return out.slice(0, length);
}
