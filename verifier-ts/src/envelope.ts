// The envelope of every signed document that is not TUF metadata.

import { refuse, type Bytes } from "./bytes.ts";
import { hexBytes, list, object, rawObject, read, text } from "./shape.ts";
import type { Verifier } from "./p256.ts";

const shape = object({ signatures: list(object({ keyid: text, sig: hexBytes })), signed: rawObject });

/** open returns the signed bytes if one of the keys signed them and they are of the type. */
export async function open(b: Bytes, max: number, keys: Verifier[], type: string): Promise<Bytes> {
  const e = read(b, max, shape, `envelope of the ${type}`);
  const list = e.signatures;
  if (list.length < 1 || list.length > 16) refuse("sealed_envelope_invalid", "an envelope has 1 to 16 signatures");
  list.forEach((s, i) => {
    const ok = /^[0-9a-f]{64}$/.test(s.keyid) && s.sig.length >= 1 && s.sig.length <= 72 && (i === 0 || list[i - 1]!.keyid < s.keyid);
    if (!ok) refuse("sealed_envelope_invalid", `signature ${i} is none, or not in order`);
  });
  let good = 0;
  for (const s of list) {
    const key = keys.find((k) => k.id === s.keyid);
    if (key && (await key.verify(e.signed, s.sig))) good++;
  }
  if (good < 1) refuse("sealed_signature_missing", `the ${type} has no valid signature of a trusted key`);
  const head = `{"_type":"${type}"`;
  if (new TextDecoder().decode(e.signed.subarray(0, head.length)) !== head) refuse("sealed_type_wrong", `what is signed is not a ${type}`);
  return e.signed;
}
