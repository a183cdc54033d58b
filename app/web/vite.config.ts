import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: "dist",
    target: "es2022",
    // The service's CSP refuses data: scripts and styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    // `npm run dev` against a running service; only the developer's machine uses this.
    proxy: { "/api": process.env["UNIRG_API"] ?? "http://127.0.0.1:8080" },
  },
  test: {
    maxWorkers: 1,
    restoreMocks: true,
  },
});
