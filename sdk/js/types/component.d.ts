/**
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 */
/** The panel. Slots and `--mashang-…` variables are those of `<scan-login>`. */
export const ScanLogin: import("vue").DefineComponent<{
    issuer: {
        type: StringConstructor;
        required: true;
    };
    clientId: {
        type: StringConstructor;
        required: true;
    };
    redirectUri: StringConstructor;
    scope: StringConstructor;
    state: StringConstructor;
    nonce: StringConstructor;
    codeChallenge: StringConstructor;
    provider: StringConstructor;
    lang: StringConstructor;
    theme: StringConstructor;
    timeout: (StringConstructor | NumberConstructor)[];
    /** Asks nothing while it is true: behind another tab, for example. */
    paused: BooleanConstructor;
}, () => import("vue").VNode<import("vue").RendererNode, import("vue").RendererElement, {
    [key: string]: any;
}>, any, {}, {}, import("vue").ComponentOptionsMixin, import("vue").ComponentOptionsMixin, {
    /** @param {LoginResult} _result */
    success: (_result: LoginResult) => true;
    /** @param {LoginFailure} _failed */
    fail: (_failed: LoginFailure) => true;
    scanned: () => true;
    approved: () => true;
    /** @param {LoginFailure} _failed */
    expired: (_failed: LoginFailure) => true;
    /** @param {LoginFailure} _failed */
    denied: (_failed: LoginFailure) => true;
    /** @param {LoginFailure} _failed */
    error: (_failed: LoginFailure) => true;
    /** @param {LoginFailure} _failed */
    cancel: (_failed: LoginFailure) => true;
}, string, import("vue").PublicProps, Readonly<import("vue").ExtractPropTypes<{
    issuer: {
        type: StringConstructor;
        required: true;
    };
    clientId: {
        type: StringConstructor;
        required: true;
    };
    redirectUri: StringConstructor;
    scope: StringConstructor;
    state: StringConstructor;
    nonce: StringConstructor;
    codeChallenge: StringConstructor;
    provider: StringConstructor;
    lang: StringConstructor;
    theme: StringConstructor;
    timeout: (StringConstructor | NumberConstructor)[];
    /** Asks nothing while it is true: behind another tab, for example. */
    paused: BooleanConstructor;
}>> & {
    onExpired?: ((_failed: import("./failure.js").LoginFailure) => any) | undefined;
    onDenied?: ((_failed: import("./failure.js").LoginFailure) => any) | undefined;
    onScanned?: (() => any) | undefined;
    onCancel?: ((_failed: import("./failure.js").LoginFailure) => any) | undefined;
    onError?: ((_failed: import("./failure.js").LoginFailure) => any) | undefined;
    onApproved?: (() => any) | undefined;
    onSuccess?: ((_result: import("./login.js").LoginResult) => any) | undefined;
    onFail?: ((_failed: import("./failure.js").LoginFailure) => any) | undefined;
}, {
    paused: boolean;
}, {}>;
export type LoginResult = import("./login.js").LoginResult;
export type LoginFailure = import("./failure.js").LoginFailure;
