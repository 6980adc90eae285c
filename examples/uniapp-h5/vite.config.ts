import uni from '@dcloudio/vite-plugin-uni';
import { defineConfig } from 'vite';

// This file must end in .ts: as .mjs the plugin arrives as a namespace, "uni is not a function".
export default defineConfig({ plugins: [uni()] });
