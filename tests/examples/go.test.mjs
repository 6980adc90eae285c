/** `examples/go`. */

import { holds, runs } from './support.mjs';

holds({ name: 'go', start: 'go run .', needs: { 'Go (https://go.dev/dl)': runs('go', 'version') } });
