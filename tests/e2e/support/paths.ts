// Where the programs are that the tests run.
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");

// While developing, LIANDONG_E2E_PROFILE=debug tests what is built sooner.
const profile = process.env.LIANDONG_E2E_PROFILE ?? "release";
const binaries = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), profile);

export function binary(program: string): string {
  return join(binaries, program);
}
