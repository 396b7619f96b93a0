// A client of the project's protocol without the console, for both browsers: it answers every ring, sends one codec
// and counts what it receives. Runs inside a page of the server's origin.

export type Codec = "VP8" | "VP9" | "H264" | "AV1";

export type Plan = {
  account: string;
  password: string;
  /** What the camera is sent with, and nothing else. */
  codec: Codec;
  /** Three sizes by rid. */
  simulcast: boolean;
  /** Of the only encoding (w3c.github.io/webrtc-svc), where the sizes are layers of one stream. */
  scalabilityMode?: string;
  videoSlots: number;
};

/** One received or sent stream. */
export type Stream = {
  codec: string;
  frames: number;
  height: number;
  rid: string;
  /** Keyframes that the receiver asked for, because it could not go on without. */
  requests: number;
  mode: string;
};
export type View = { sent: Stream[]; received: Stream[]; connected: boolean; trouble: string };

/** The pages of Playwright and of Puppeteer. */
export type AnyPage = {
  evaluate<Argument, Result>(work: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>;
};

/** Logs in, says hello, and from then on answers rings. True when the server welcomed it. */
export function enter(page: AnyPage, plan: Plan): Promise<boolean> {
  return page.evaluate(async (plan: Plan) => {
    const login = await fetch("/api/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ account: plan.account, password: plan.password }),
    });
    if (!login.ok) return false;
    const socket = new WebSocket(`wss://${location.host}/ws`);
    const waiting = new Map<number, (message: Record<string, unknown>) => void>();
    let lastId = 0;
    const ask = (request: object): Promise<Record<string, unknown>> =>
      new Promise((done) => {
        lastId += 1;
        waiting.set(lastId, done);
        socket.send(JSON.stringify({ id: lastId, key: `client-${plan.account}-${lastId}-${Math.random()}`, request }));
      });
    const client = {
      ask,
      connection: null as RTCPeerConnection | null,
      conference: 0,
      /** Who is in which slot. */
      slots: [] as (number | null)[],
      trouble: "",
      plan,
    };
    Object.assign(window, { client });

    const connect = async () => {
      client.connection?.close();
      const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
      client.connection = connection;
      const media = await navigator.mediaDevices.getUserMedia({
        audio: true,
        video: { width: 1280, height: 720, frameRate: 15 },
      });
      const [microphone] = media.getAudioTracks();
      const [camera] = media.getVideoTracks();
      if (microphone === undefined || camera === undefined) throw new Error("no camera or no microphone");
      connection.addTransceiver(microphone, { direction: "sendonly" });
      // Only AV1 has to be told that an encoding is not to be scalable by itself.
      const mode = client.plan.codec === "AV1" && client.plan.simulcast ? { scalabilityMode: "L1T1" } : {};
      const sender = connection.addTransceiver(camera, {
        direction: "sendonly",
        sendEncodings: client.plan.simulcast
          ? [
              { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000, ...mode },
              { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000, ...mode },
              { rid: "f", maxBitrate: 1_500_000, ...mode },
            ]
          : client.plan.scalabilityMode === undefined
            ? [{ scaleResolutionDownBy: 2, maxBitrate: 600_000 }]
            : [{ maxBitrate: 1_500_000, scalabilityMode: client.plan.scalabilityMode }],
      } as RTCRtpTransceiverInit);
      const known = RTCRtpSender.getCapabilities("video")?.codecs ?? [];
      const wanted = known.filter(({ mimeType, sdpFmtpLine = "" }) => {
        if (mimeType === "video/rtx") return true;
        if (mimeType !== `video/${client.plan.codec}`) return false;
        switch (client.plan.codec) {
          case "H264":
            return /profile-level-id=42e0/i.test(sdpFmtpLine) && sdpFmtpLine.includes("packetization-mode=1");
          case "VP9":
            return !/profile-id=[1-9]/.test(sdpFmtpLine);
          case "AV1":
            return !/profile=[1-9]/.test(sdpFmtpLine);
          case "VP8":
            return true;
        }
      });
      sender.setCodecPreferences(wanted);
      for (let slot = 0; slot < client.plan.videoSlots; slot += 1) {
        const receiving = connection.addTransceiver("video", { direction: "recvonly" }) as RTCRtpTransceiver & {
          getHeaderExtensionsToNegotiate?: () => { uri: string; direction: string }[];
          setHeaderExtensionsToNegotiate?: (extensions: { uri: string; direction: string }[]) => void;
        };
        // Without it Chromium decodes no spatial layers of AV1, and does not ask for it by itself.
        const extensions = receiving.getHeaderExtensionsToNegotiate?.() ?? [];
        for (const one of extensions) if (one.uri.includes("dependency-descriptor")) one.direction = "recvonly";
        receiving.setHeaderExtensionsToNegotiate?.(extensions);
      }
      for (let slot = 0; slot < 2; slot += 1) connection.addTransceiver("audio", { direction: "recvonly" });
      // A received track is decoded when somebody looks at it.
      connection.ontrack = ({ track, streams: [stream] }) => {
        const element = document.createElement(track.kind === "video" ? "video" : "audio") as HTMLVideoElement;
        element.muted = true;
        element.autoplay = true;
        element.srcObject = stream ?? new MediaStream([track]);
        document.body.append(element);
        void element.play().catch(() => undefined);
      };
      await connection.setLocalDescription(await connection.createOffer());
      const sdp = connection.localDescription?.sdp ?? "";
      const reply = (await ask({ type: "offer", conference: client.conference, sdp })) as { sdp?: string };
      if (reply.sdp === undefined) throw new Error(`no answer: ${JSON.stringify(reply)}`);
      await connection.setRemoteDescription({ type: "answer", sdp: reply.sdp });
      await ask({ type: "setOwnMedia", conference: client.conference, microphone: true, camera: true });
    };
    const attempt = () =>
      connect().catch((error: unknown) => {
        client.trouble = String(error);
      });
    Object.assign(client, { attempt });

    socket.onmessage = ({ data }) => {
      const message = JSON.parse(String(data)) as {
        type: string;
        id?: number;
        reply?: Record<string, unknown>;
        refusal?: { code: string };
        push?: {
          type: string;
          ring?: { invitation: number };
          layers?: { rid: string | null; active: boolean }[];
          slots?: (number | null)[];
        };
      };
      if (message.type === "push") {
        const { push } = message;
        if (push?.type === "ring") {
          void ask({ type: "accept", invitation: push.ring?.invitation }).then((reply) => {
            client.conference = Number(reply.conference);
            return attempt();
          });
        } else if (push?.type === "slots") {
          client.slots = push.slots ?? [];
        } else if (push?.type === "sendLayers") {
          const sender = client.connection?.getSenders().find((one) => one.track?.kind === "video");
          const parameters = sender?.getParameters();
          for (const encoding of parameters?.encodings ?? []) {
            const said = push.layers?.find(({ rid }) => (rid ?? undefined) === (encoding as { rid?: string }).rid);
            if (said !== undefined) encoding.active = said.active;
          }
          if (parameters !== undefined) void sender?.setParameters(parameters).catch(() => undefined);
        }
        return;
      }
      waiting.get(message.id ?? 0)?.(message.reply ?? { refused: message.refusal?.code });
      waiting.delete(message.id ?? 0);
    };
    await new Promise((opened, failed) => {
      socket.onopen = opened;
      socket.onerror = failed;
    });
    const welcome = await ask({ type: "hello", version: 2, device: "console", resume: null, autoAnswer: false });
    return welcome.type === "welcome";
  }, plan);
}

/** Calls these sites and joins the call. */
export function callSites(page: AnyPage, codes: string[]): Promise<void> {
  return page.evaluate(async (codes: string[]) => {
    const { client } = window as unknown as {
      client: {
        ask: (request: object) => Promise<Record<string, unknown>>;
        attempt: () => Promise<void>;
        conference: number;
        trouble: string;
      };
    };
    const targets = codes.map((code) => ({ type: "site", code }));
    const reply = await client.ask({ type: "call", targets, title: null, ordered: true });
    if (reply.conference === undefined) client.trouble = `the call was refused: ${JSON.stringify(reply)}`;
    client.conference = Number(reply.conference);
    await client.attempt();
  }, codes);
}

/** Sends another codec from now on, over a new connection. */
export function resend(page: AnyPage, codec: Codec, simulcast: boolean, scalabilityMode?: string): Promise<void> {
  return page.evaluate(
    async (change: Pick<Plan, "codec" | "simulcast" | "scalabilityMode">) => {
      const { client } = window as unknown as { client: { plan: Plan; attempt: () => Promise<void> } };
      Object.assign(client.plan, { scalabilityMode: undefined, ...change });
      await client.attempt();
    },
    { codec, simulcast, ...(scalabilityMode === undefined ? {} : { scalabilityMode }) },
  );
}

/** Tells the server how high the pictures are that it shows, all of them. */
export function showAt(page: AnyPage, height: number): Promise<void> {
  return page.evaluate(async (height: number) => {
    const { client } = window as unknown as {
      client: { ask: (request: object) => Promise<object>; conference: number; slots: (number | null)[] };
    };
    const shown = client.slots.filter((one) => one !== null);
    const tiles = shown.map((participant) => ({ participant, height }));
    await client.ask({ type: "show", conference: client.conference, wish: { tiles } });
  }, height);
}

export function sends(page: AnyPage, codec: Codec): Promise<boolean> {
  return page.evaluate(
    (codec: Codec) =>
      (RTCRtpSender.getCapabilities("video")?.codecs ?? []).some(
        ({ mimeType, sdpFmtpLine = "" }) =>
          mimeType === `video/${codec}` && (codec !== "H264" || /profile-level-id=42e0/i.test(sdpFmtpLine)),
      ),
    codec,
  );
}

export function receives(page: AnyPage, codec: Codec): Promise<boolean> {
  return page.evaluate(
    (codec: Codec) =>
      (RTCRtpReceiver.getCapabilities("video")?.codecs ?? []).some(({ mimeType }) => mimeType === `video/${codec}`),
    codec,
  );
}

/** What it sends and receives. */
export function look(page: AnyPage): Promise<View> {
  return page.evaluate(async () => {
    const { client } = window as unknown as { client: { connection: RTCPeerConnection | null; trouble: string } };
    const view: View = { sent: [], received: [], connected: false, trouble: client.trouble };
    const { connection } = client;
    if (connection === null) return view;
    view.connected = connection.connectionState === "connected";
    const stats = await connection.getStats();
    for (const stat of stats.values()) {
      if (stat.kind !== "video" || (stat.type !== "inbound-rtp" && stat.type !== "outbound-rtp")) continue;
      const codec = String(stats.get(stat.codecId)?.mimeType ?? "").replace("video/", "");
      const stream = {
        codec,
        height: Number(stat.frameHeight ?? 0),
        rid: String(stat.rid ?? ""),
        requests: Number(stat.pliCount ?? 0),
        mode: String(stat.scalabilityMode ?? ""),
      };
      if (stat.type === "inbound-rtp") view.received.push({ ...stream, frames: Number(stat.framesDecoded ?? 0) });
      else view.sent.push({ ...stream, frames: Number(stat.framesSent ?? 0) });
    }
    return view;
  }, null);
}
