import { expect, test } from "vitest";

import { kindOf, sizeWords } from "./files";

test("a file is shown by what it is", () => {
  expect(kindOf("image/jpeg")).toBe("photo");
  expect(kindOf("image/heif")).toBe("document");
  expect(kindOf("audio/webm")).toBe("sound");
  expect(kindOf("video/mp4")).toBe("film");
  expect(kindOf("application/pdf")).toBe("document");
  expect(kindOf("")).toBe("document");
});

test("sizes are short", () => {
  expect(sizeWords(1)).toBe("1 kB");
  expect(sizeWords(2_381_004)).toBe("2.4 MB");
});
