import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vite';

// The sample's own policy forbids inline styles, and small pictures are files of their own.
export default defineConfig({ plugins: [vue()], build: { assetsInlineLimit: 0 } });
