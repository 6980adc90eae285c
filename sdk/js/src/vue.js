/** For Vue 3: `<ScanLogin>` around the element, and `useScanLogin()` for a face of your own, which brings no element. */
export { useScanLogin } from './composable.js';
export { ScanLogin } from './component.js';

/**
 * @typedef {import('./login.js').LoginOptions} LoginOptions
 * @typedef {import('./login.js').LoginResult} LoginResult
 * @typedef {import('./failure.js').LoginFailure} LoginFailure
 * @typedef {import('./composable.js').Wishes} Wishes
 * @typedef {import('./component.js').ScanLoginProps} ScanLoginProps
 * @typedef {import('./component.js').ScanLoginSlots} ScanLoginSlots
 */
