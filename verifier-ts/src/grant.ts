// Content keys for one device: HPKE base mode, DHKEM(P-256), HKDF-SHA256, AES-256-GCM.

import { fromHex, hkdfExpand, hmac, join, refuse, utf8, type Bytes } from "./bytes.ts";
import { isAppID } from "./documents.ts";

/** What a grant is bound to. */
export interface GrantInfo {
  app: string;
  manifest: string;
  keyEpoch: number;
  thumbprint: string;
  notAfter: string;
}

/** The device's key agreement key. The private half need not be extractable. */
export interface AgreementKey {
  privateKey: CryptoKey;
  publicKey: Bytes;
}

/** grantInfo is the info of HPKE. */
export function grantInfo(i: GrantInfo): Bytes {
  const manifest = fromHex(i.manifest);
  const thumb = fromHex(i.thumbprint);
  const ok = isAppID(i.app) && manifest?.length === 32 && thumb?.length === 32 && manifest.some((b) => b !== 0) && thumb.some((b) => b !== 0);
  if (!ok || i.keyEpoch < 1 || i.keyEpoch >= 2 ** 32) refuse("grant_info_invalid", "a grant is for one manifest, epoch and device");
  const epoch = new Uint8Array(4);
  new DataView(epoch.buffer).setUint32(0, i.keyEpoch);
  const parts = [utf8(i.app), manifest!, epoch, thumb!, utf8(i.notAfter)];
  return join(utf8("waxwing/grant/v1"), ...parts.map((p) => join(Uint8Array.of(p.length >> 8, p.length & 0xff), p)));
}

/** openGrant returns the content key of an epoch. Its time and issuer are the caller's to check. */
export async function openGrant(key: AgreementKey, info: GrantInfo, enc: Bytes, ct: Bytes): Promise<Bytes> {
  if (enc.length !== 65 || ct.length !== 48) refuse("grant_size", "a grant has 65 and 48 bytes");
  const bound = grantInfo(info);
  try {
    const peer = await crypto.subtle.importKey("raw", enc, { name: "ECDH", namedCurve: "P-256" }, false, []);
    const dh = new Uint8Array(await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, key.privateKey, 256));
    const kem = join(utf8("KEM"), Uint8Array.of(0, 0x10));
    const prk = await extract(kem, none, "eae_prk", dh);
    const shared = await expand(kem, prk, "shared_secret", join(enc, key.publicKey), 32);
    const suite = join(utf8("HPKE"), Uint8Array.of(0, 0x10, 0, 1, 0, 2));
    const context = join(Uint8Array.of(0), await extract(suite, none, "psk_id_hash", none), await extract(suite, none, "info_hash", bound));
    const secret = await extract(suite, shared, "secret", none);
    const aes = await crypto.subtle.importKey("raw", await expand(suite, secret, "key", context, 32), "AES-GCM", false, ["decrypt"]);
    const iv = await expand(suite, secret, "base_nonce", context, 12);
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv, tagLength: 128 }, aes, ct));
  } catch {
    return refuse("grant_not_for_us", "the grant does not open: it was made for another device, manifest or time, or it is damaged");
  }
}

const none = new Uint8Array(0);

function extract(suite: Bytes, salt: Bytes, label: string, ikm: Bytes): Promise<Bytes> {
  const key = salt.length === 0 ? new Uint8Array(32) : salt; // the same to HMAC, and WebCrypto takes no empty key
  return hmac("SHA-256", key, join(utf8("HPKE-v1"), suite, utf8(label), ikm));
}

function expand(suite: Bytes, prk: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> {
  return hkdfExpand("SHA-256", prk, join(Uint8Array.of(length >> 8, length), utf8("HPKE-v1"), suite, utf8(label), info), length);
}
