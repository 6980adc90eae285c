export { useScanLogin } from "./composable.js";
export { ScanLogin } from "./component.js";
export type LoginOptions = import("./login.js").LoginOptions;
export type LoginResult = import("./login.js").LoginResult;
export type LoginFailure = import("./failure.js").LoginFailure;
export type Wishes = import("./composable.js").Wishes;
export type ScanLoginProps = import("./component.js").ScanLoginProps;
export type ScanLoginSlots = import("./component.js").ScanLoginSlots;
