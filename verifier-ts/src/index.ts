// A second implementation of the device's side of sealed updates, on WebCrypto
// alone. See docs/sealed/spec.md. Files are held in memory, and patches are left
// out: a device that cannot apply them fetches whole files.

export { admit, type Admitted, type Input, type Source } from "./admit.ts";
export { Refused, type Bytes, type Need } from "./bytes.ts";
export { decodeState, encodeState, fresh, type Build, type State } from "./state.ts";
export { grantInfo, openGrant, type AgreementKey, type GrantInfo } from "./grant.ts";
export type { File, Manifest } from "./documents.ts";
