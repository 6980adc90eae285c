/** `examples/go`. */

import { bearsTabs, holds, knowsItsIssuer, runs } from './support.mjs';

const example = { name: 'go', start: 'go run .', needs: { 'Go (https://go.dev/dl)': runs('go', 'version') } };
const held = holds(example);
bearsTabs(example, held);
knowsItsIssuer(example, held);
