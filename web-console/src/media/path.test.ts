import { describe, expect, test } from "vitest";

import { Path, type PathInput } from "./path";

/** A path that is connected, at moment 0. */
function connected(): Path {
  const path = new Path(true);
  expect(path.begin(0)).toBe("rebuild");
  expect(path.handle({ type: "answered" }, 0)).toBeNull();
  expect(path.handle({ type: "peer", state: "connected" }, 0)).toBeNull();
  expect(path.deadlineMs).toBeNull();
  return path;
}

/** What each input leads to, one second after the other. */
function steps(path: Path, inputs: readonly PathInput[]): (string | null)[] {
  return inputs.map((input, index) => path.handle(input, 1_000 * (index + 1)));
}

describe("the path to the media server", () => {
  test("is restarted at the first sign of a break, once", () => {
    expect(
      steps(connected(), [
        { type: "peer", state: "disconnected" },
        { type: "peer", state: "failed" },
        { type: "answered" },
        { type: "peer", state: "connected" },
        { type: "peer", state: "disconnected" },
      ]),
    ).toEqual(["restart", null, null, null, "restart"]);
  });

  test("is restarted in another network though it still seems connected; two signs of one change are one", () => {
    const path = connected();
    expect(path.handle({ type: "network" }, 1_000)).toBe("restart");
    expect(path.handle({ type: "network" }, 1_020)).toBeNull();
    expect(path.handle({ type: "answered" }, 1_050)).toBeNull();
    expect(path.deadlineMs).toBeNull();
    expect(path.handle({ type: "network" }, 9_000)).toBe("restart");
  });

  test("a second change during a restart follows it", () => {
    const path = connected();
    expect(path.handle({ type: "network" }, 1_000)).toBe("restart");
    expect(path.handle({ type: "network" }, 3_000)).toBeNull();
    expect(path.handle({ type: "answered" }, 3_100)).toBe("restart");
  });

  test("waits for the line to signaling and owes it the restart", () => {
    expect(
      steps(connected(), [
        { type: "lineLost" },
        { type: "network" },
        { type: "lineBack", resumed: true },
        { type: "answered" },
      ]),
    ).toEqual([null, null, "restart", null]);
    expect(
      steps(connected(), [
        { type: "network" },
        { type: "lineLost" },
        { type: "unanswered" },
        { type: "lineBack", resumed: true },
      ]),
    ).toEqual(["restart", null, null, "restart"]);
  });

  test("that works is left alone by a line that comes back, unless the server knows nothing of it", () => {
    expect(steps(connected(), [{ type: "lineLost" }, { type: "lineBack", resumed: true }])).toEqual([null, null]);
    expect(steps(connected(), [{ type: "lineLost" }, { type: "lineBack", resumed: false }])).toEqual([null, "rebuild"]);
  });

  test("lost at the server is built anew, once for the old connection's end and its replacement", () => {
    expect(steps(connected(), [{ type: "mediaLost" }, { type: "mediaLost" }, { type: "answered" }])).toEqual([
      "rebuild",
      null,
      null,
    ]);
    expect(steps(connected(), [{ type: "network" }, { type: "mediaLost" }, { type: "answered" }])).toEqual([
      "restart",
      null,
      "rebuild",
    ]);
  });

  test("that cannot be offered again is built anew at once, and not for ever", () => {
    const path = connected();
    expect(steps(path, [{ type: "network" }, { type: "stuck" }, { type: "stuck" }])).toEqual(["restart", "rebuild", null]);
    expect(path.deadlineMs).toBe(3_400);
  });

  test("a restart in vain is followed by a new connection, and that by another", () => {
    const path = connected();
    path.handle({ type: "peer", state: "disconnected" }, 1_000);
    path.handle({ type: "answered" }, 1_100);
    expect(path.deadlineMs).toBe(5_100);
    expect(path.handle({ type: "timeout" }, 5_099)).toBeNull();
    expect(path.handle({ type: "timeout" }, 5_100)).toBe("rebuild");
    path.handle({ type: "answered" }, 5_200);
    expect(path.deadlineMs).toBe(13_200);
    expect(path.handle({ type: "timeout" }, 13_200)).toBe("rebuild");
  });

  test("no answer: tried again, later each time, until it is connected", () => {
    const path = connected();
    path.handle({ type: "mediaLost" }, 0);
    const waits: number[] = [];
    let now = 0;
    for (let round = 0; round < 6; round += 1) {
      path.handle({ type: "unanswered" }, now);
      waits.push((path.deadlineMs ?? now) - now);
      now = path.deadlineMs ?? now;
      expect(path.handle({ type: "timeout" }, now)).toBe("rebuild");
    }
    expect(waits).toEqual([400, 800, 1_600, 3_200, 4_000, 4_000]);
    path.handle({ type: "answered" }, now);
    path.handle({ type: "peer", state: "connected" }, now);
    path.handle({ type: "mediaLost" }, now);
    path.handle({ type: "unanswered" }, now);
    expect((path.deadlineMs ?? 0) - now).toBe(400);
  });

  test("refused for good, nothing more is tried by itself", () => {
    const path = connected();
    path.handle({ type: "mediaLost" }, 0);
    path.handle({ type: "mediaLost" }, 0);
    expect(path.handle({ type: "refused" }, 1)).toBeNull();
    expect(path.deadlineMs).toBeNull();
  });

  test("that begins with the line is not begun twice by its welcome", () => {
    const path = new Path(true);
    expect(path.begin(0)).toBe("rebuild");
    expect(path.handle({ type: "lineBack", resumed: false }, 1)).toBeNull();
    expect(path.handle({ type: "answered" }, 100)).toBeNull();
  });

  test("begins once there is a line", () => {
    const path = new Path(false);
    expect(path.begin(0)).toBeNull();
    expect(path.handle({ type: "lineBack", resumed: true }, 1)).toBe("rebuild");
  });
});
