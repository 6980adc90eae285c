/** `<scan-login>` in JSX: `import 'mashang/react'` brings the element and these types. Written by hand. */
import type { DetailedHTMLProps, HTMLAttributes } from 'react';

import type { ScanLoginEventMap } from './dom.js';
import type { ScanLoginElement } from './element.js';

export * from './dom.js';

/** React 19 listens by these, which are lower case; for React 18 use `addEventListener` on a `ref`. */
type Listeners = { [K in keyof ScanLoginEventMap as `on${K}`]?: (event: ScanLoginEventMap[K]) => void };

export interface ScanLoginAttributes extends Listeners, DetailedHTMLProps<HTMLAttributes<ScanLoginElement>, ScanLoginElement> {
  issuer: string;
  'client-id': string;
  'redirect-uri'?: string;
  scope?: string;
  state?: string;
  nonce?: string;
  'code-challenge'?: string;
  provider?: string;
  theme?: 'auto' | 'light' | 'dark';
  timeout?: number | string;
  /** Asks nothing while it is true: behind another tab, for example. */
  paused?: boolean;
  /** React 18 writes `className` as it stands. */
  class?: string;
}

declare module 'react' {
  namespace JSX {
    interface IntrinsicElements {
      'scan-login': ScanLoginAttributes;
    }
  }
}
