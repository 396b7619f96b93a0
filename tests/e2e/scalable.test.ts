// Layers within one stream, as Chromium makes them: a receiver whose tile changes its size gets another picture size,
// can decode all that comes meanwhile, and nothing of it has to be negotiated.
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenPage, openChromium } from "./support/browsers.ts";
import { callSites, type Codec, enter, look, resend, showAt, type Stream } from "./support/client.ts";
import { password, Server } from "./support/server.ts";
import { until } from "./support/until.ts";

const SENDER = "511922101"; // 沙河镇

describe("layers within one stream", () => {
  let server: Server;
  let viewer: OpenPage;
  let sender: OpenPage;

  beforeAll(async () => {
    server = await Server.start();
    viewer = await openChromium(server);
    sender = await openChromium(server);
    const plan = { password, codec: "VP8" as Codec, simulcast: false, videoSlots: 1 };
    expect(await enter(viewer.page, { ...plan, account: "commander" }), "the viewer is welcomed").toBe(true);
    expect(await enter(sender.page, { ...plan, account: SENDER }), "the sender is welcomed").toBe(true);
    await callSites(viewer.page, [SENDER]);
  });

  afterAll(async () => {
    await viewer?.close();
    await sender?.close();
    await server?.stop();
  });

  /** Waits for 20 more frames of this codec that all have this height, and gives what comes then. */
  async function shows(codec: Codec, height: number): Promise<Stream> {
    let since: number | undefined;
    let last: Stream | undefined;
    await until(`${codec} of ${height} lines is shown`, async () => {
      last = (await look(viewer.page)).received.find((one) => one.codec === codec);
      if (last === undefined || last.height !== height) {
        since = undefined;
        return false;
      }
      since ??= last.frames;
      return last.frames > since + 20;
    }, 60_000).catch(async (error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify([last, await look(sender.page)])}`);
    });
    return last as Stream;
  }

  test.each([["AV1", "L1T2"], ["AV1", "L1T3"], ["VP9", "L1T3"]] as const)("%s in %s is shown", async (codec, mode) => {
    await resend(sender.page, codec, false, mode);
    await showAt(viewer.page, 720);
    await shows(codec, 720);
    expect((await look(sender.page)).sent.map((one) => one.mode)).toEqual([mode]);
  });

  test.each([["VP9", "L3T3_KEY"], ["AV1", "L3T3_KEY"]] as const)("%s in %s follows the tile's height", async (codec, mode) => {
    await resend(sender.page, codec, false, mode);
    await showAt(viewer.page, 720);
    const before = await shows(codec, 720);
    expect((await look(sender.page)).sent.map((one) => one.mode)).toEqual([mode]);
    for (const height of [180, 360, 720, 180, 720]) {
      await showAt(viewer.page, height);
      const { requests } = await shows(codec, height);
      expect(requests - before.requests, `keyframes asked for on the way to ${height} lines`).toBe(0);
    }
  });
});
