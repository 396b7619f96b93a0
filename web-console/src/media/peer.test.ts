import { describe, expect, test } from "vitest";

import { slotCodecs } from "./peer";

const codec = (mimeType: string, sdpFmtpLine?: string): RTCRtpCodec =>
  sdpFmtpLine === undefined ? { mimeType, clockRate: 90_000 } : { mimeType, clockRate: 90_000, sdpFmtpLine };

describe("the codecs of a slot", () => {
  test("are what the server forwards, in the browser's order", () => {
    const known = [
      codec("video/VP8"),
      codec("video/rtx"),
      codec("video/VP9", "profile-id=0"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"),
      codec("video/AV1"),
      codec("video/ulpfec"),
    ];
    expect(slotCodecs(known)).toEqual([known[0], known[1], known[3]]);
  });

  test("are left to a browser that knows none of them", () => {
    expect(slotCodecs([codec("video/AV1"), codec("video/rtx")])).toEqual([]);
    expect(slotCodecs([])).toEqual([]);
  });
});
