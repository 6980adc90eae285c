/** @param {Reason} reason @param {string} [detail] a sentence for people or for whoever writes the page @returns {LoginFailure} */
export function failure(reason: Reason, detail?: string): LoginFailure;
/** The failure in an answer of the Browser API. @param {import('./request.js').Answer} answer */
export function refusal({ status, body }: import("./request.js").Answer): LoginFailure;
/**
 * Why a login failed, shaped as `uni.login` tells it.
 *
 * @typedef {'cancelled'|'denied'|'wrong_number'|'expired'|'timeout'|'refused'|'network'|'server'|'not_allowed'|'invalid_request'|'mismatch'
 *   |'insecure_context'|'unsupported'} Reason
 * @typedef {Error & {errMsg: string, errCode: number, reason: Reason, detail: string}} LoginFailure
 */
/** `errCode` is 1001 and the place in this list: never reordered. */
export const REASONS: string[];
export function isPassing({ errCode }: LoginFailure): boolean;
export function isFailure(error: any): error is LoginFailure;
/**
 * Why a login failed, shaped as `uni.login` tells it.
 */
export type Reason = "cancelled" | "denied" | "wrong_number" | "expired" | "timeout" | "refused" | "network" | "server" | "not_allowed" | "invalid_request" | "mismatch" | "insecure_context" | "unsupported";
/**
 * Why a login failed, shaped as `uni.login` tells it.
 */
export type LoginFailure = Error & {
    errMsg: string;
    errCode: number;
    reason: Reason;
    detail: string;
};
