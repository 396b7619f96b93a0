import { describe, expect, test } from "vitest";

import { type ExtensionChoice, slotCodecs, speechCodecs, wantDescriptors } from "./peer";

const codec = (mimeType: string, sdpFmtpLine?: string): RTCRtpCodec =>
  sdpFmtpLine === undefined ? { mimeType, clockRate: 90_000 } : { mimeType, clockRate: 90_000, sdpFmtpLine };

describe("the codecs of a slot", () => {
  test("are what the server forwards, in the browser's order", () => {
    const known = [
      codec("video/VP8"),
      codec("video/rtx"),
      codec("video/VP9", "profile-id=0"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
      codec("video/AV1", "level-idx=5;profile=0;tier=0"),
      codec("video/H265", "level-id=93;profile-id=1;tier-flag=0;tx-mode=SRST"),
    ];
    const others = [
      codec("video/VP9", "profile-id=2"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f"),
      codec("video/H264", "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"),
      codec("video/AV1", "level-idx=5;profile=1;tier=0"),
      codec("video/H265", "level-id=93;profile-id=2;tier-flag=0;tx-mode=SRST"),
      codec("video/ulpfec"),
    ];
    expect(slotCodecs([...others, ...known])).toEqual(known);
  });

  test("without a profile are those of the common one", () => {
    const bare = [codec("video/VP9"), codec("video/AV1"), codec("video/H265")];
    expect(slotCodecs(bare)).toEqual(bare);
  });

  test("are left to a browser that knows none of them", () => {
    expect(slotCodecs([codec("video/theora"), codec("video/rtx")])).toEqual([]);
    expect(slotCodecs([])).toEqual([]);
  });
});

describe("the codecs of speech", () => {
  const opus = codec("audio/opus");
  const red = codec("audio/red");
  test("begin with redundancy where the browser has it", () => {
    expect(speechCodecs([opus, codec("audio/G722"), red])).toEqual([red, opus, codec("audio/G722")]);
    expect(speechCodecs([opus])).toEqual([]);
  });
});

describe("a slot", () => {
  const descriptor = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
  type Known = ReturnType<NonNullable<ExtensionChoice["getHeaderExtensionsToNegotiate"]>>;
  const chosen = (known: Known): Known | null => {
    let wanted: Known | null = null;
    wantDescriptors({
      getHeaderExtensionsToNegotiate: () => known,
      setHeaderExtensionsToNegotiate: (extensions) => {
        wanted = extensions;
      },
    });
    return wanted;
  };

  test("asks for dependency descriptors, and leaves the other extensions as they are", () => {
    const others: Known = [
      { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", direction: "sendrecv" },
      { uri: "urn:3gpp:video-orientation", direction: "stopped" },
    ];
    expect(chosen([...others, { uri: descriptor, direction: "stopped" }])).toEqual([
      ...others,
      { uri: descriptor, direction: "recvonly" },
    ]);
    expect(chosen(others)).toBeNull();
  });

  test("of a browser that lets nothing be chosen is left alone", () => {
    expect(() => wantDescriptors({})).not.toThrow();
  });
});
