/** A page that draws its own face, and wants nothing of the panel. */

import { useScanLogin } from 'mashang/vue';

window.useScanLogin = useScanLogin;
