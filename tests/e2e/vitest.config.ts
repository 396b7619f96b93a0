import { defineConfig } from "vitest/config";

// Browsers share two cores: one file at a time, and a call may take its time to build up.
export default defineConfig({
  test: {
    include: ["*.test.ts"],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    bail: 1,
  },
});
