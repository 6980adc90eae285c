/** `mashang/element`: the class, and what a page's TypeScript knows of `<scan-login>` beyond it. Written by hand: JavaScript has no words for it. */
import type { ScanLoginElement } from './element.js';
import type { LoginFailure } from './failure.js';
import type { LoginResult, View } from './login.js';

export * from './element.js';

export interface ScanLoginEventMap {
  success: CustomEvent<LoginResult>;
  /** It is over. */
  fail: CustomEvent<LoginFailure>;
  scanned: CustomEvent<null>;
  approved: CustomEvent<null>;
  expired: CustomEvent<LoginFailure>;
  denied: CustomEvent<LoginFailure>;
  error: CustomEvent<LoginFailure>;
  cancel: CustomEvent<LoginFailure>;
  /** Inputs in slots send one of their own, without `detail`. */
  change: CustomEvent<View>;
}

declare module './element.js' {
  interface ScanLoginElement {
    addEventListener<K extends keyof ScanLoginEventMap>(type: K, listener: (this: ScanLoginElement, event: ScanLoginEventMap[K]) => any, options?: boolean | AddEventListenerOptions): void;
    addEventListener<K extends keyof HTMLElementEventMap>(type: K, listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => any, options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
    removeEventListener<K extends keyof ScanLoginEventMap>(type: K, listener: (this: ScanLoginElement, event: ScanLoginEventMap[K]) => any, options?: boolean | EventListenerOptions): void;
    removeEventListener<K extends keyof HTMLElementEventMap>(type: K, listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => any, options?: boolean | EventListenerOptions): void;
    removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'scan-login': ScanLoginElement;
  }
}
