// Files: Cobblestone-256 with keys derived per file (docs/sealed/spec-crypto.md).

import { equal, hashOf, hkdfExpand, fromHex, join, refuse, utf8, type Bytes } from "./bytes.ts";
import { isAppID } from "./documents.ts";

const header = 56;
const chunk = 16384;
const tag = 16;

/** A file as its manifest announces it. */
export interface Blob {
  app: string;
  sha256: string;
  size: number;
}

/** deriveKey gives the key and context of a file. */
export async function deriveKey(epoch: Uint8Array, b: Blob): Promise<{ key: Bytes; context: Bytes }> {
  const plain = fromHex(b.sha256);
  if (!isAppID(b.app) || plain?.length !== 32 || epoch.length !== 32) refuse("cobblestone_key_size", "there is no content key of such a file");
  const key = await hkdfExpand("SHA-256", epoch, join(utf8("waxwing/blob/v1"), plain!), 32);
  return { key, context: join(utf8("waxwing/sealed/v1"), Uint8Array.of(b.app.length >> 8, b.app.length & 0xff), utf8(b.app), plain!) };
}

/** openBlob decrypts a stored file, and hands out nothing unless it is the whole, announced one. */
export async function openBlob(epoch: Uint8Array, b: Blob, sealed: Bytes): Promise<Bytes> {
  const { key, context } = await deriveKey(epoch, b);
  if (sealed.length < header) refuse("cobblestone_truncated", "the encrypted data is cut off");
  const salt = sealed.slice(0, 24);
  const info = join(utf8("c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0"), salt, context);
  const out = await hkdfExpand("SHA-512", key, info, 76);
  if (!equal(out.slice(44), sealed.slice(24, header))) refuse("cobblestone_key", "the encrypted data belongs to another key, app or file");
  const aes = await crypto.subtle.importKey("raw", out.slice(0, 32), "AES-GCM", false, ["decrypt"]);
  const parts: Uint8Array[] = [];
  for (let n = 0, at = header; ; n++, at += chunk + tag) {
    const part = sealed.slice(at, at + chunk + tag);
    if (part.length < tag) refuse("cobblestone_truncated", "the encrypted data is cut off: its last chunk is missing or incomplete");
    parts.push(await openChunk(aes, out.slice(32, 44), n, part));
    if (part.length < chunk + tag) break;
  }
  const plain = join(...parts);
  if (plain.length !== b.size || (await hashOf(plain)) !== b.sha256) refuse("cobblestone_plaintext", "the decrypted file is not the one that was announced");
  return plain;
}

async function openChunk(key: CryptoKey, iv: Bytes, n: number, part: Bytes): Promise<Uint8Array> {
  const view = new DataView(iv.buffer);
  view.setBigUint64(4, view.getBigUint64(4) ^ BigInt(n));
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, tagLength: 128 }, key, part));
  } catch {
    return refuse("cobblestone_damaged", `chunk ${n} of the encrypted data is not what was written`);
  }
}
