import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** A running `liandong serve`; its certificate is its own. */
const SERVER = process.env["LIANDONG_SERVER"] ?? "https://localhost:8443";

/** The server takes requests of its own pages only, so they are given its name. */
const TO_SERVER = { target: SERVER, secure: false, changeOrigin: true, headers: { origin: SERVER } };
const PROXY = { "/api": TO_SERVER, "/ws": { ...TO_SERVER, ws: true } };

export default defineConfig({
  plugins: [react()],
  server: { proxy: PROXY },
  preview: { proxy: PROXY },
  build: {
    target: "es2022",
    // Big vendor pieces change seldom: apart from our code they stay in the browser's cache.
    chunkSizeWarningLimit: 900,
    rollupOptions: {
      output: {
        manualChunks(id: string) {
          if (!id.includes("node_modules")) return undefined;
          if (/node_modules\/(react|react-dom|scheduler|zustand|i18next|react-i18next)\//.test(id)) return "react";
          return "antd";
        },
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
  },
});
