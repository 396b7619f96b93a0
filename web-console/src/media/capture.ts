import { createStore } from "zustand/vanilla";

/** Why a microphone or camera cannot be used. */
export type CaptureProblem = "refused" | "missing" | "busy" | "insecure";

export type Capture = {
  /** Null: off or not to be had. */
  microphone: MediaStreamTrack | null;
  camera: MediaStreamTrack | null;
  microphoneProblem: CaptureProblem | null;
  cameraProblem: CaptureProblem | null;
  /** What the user wants; the tracks follow. */
  wantsMicrophone: boolean;
  wantsCamera: boolean;
  /** Which way a phone's camera looks. */
  facing: "user" | "environment";
};

export type Picked = { camera: string | null; microphone: string | null; speaker: string | null };

const PICKED_KEY = "liandong.devices";

const IDLE: Capture = {
  microphone: null,
  camera: null,
  microphoneProblem: null,
  cameraProblem: null,
  wantsMicrophone: true,
  wantsCamera: true,
  facing: "user",
};

export const captureStore = createStore<Capture>(() => IDLE);
export const pickedStore = createStore<Picked>(readPicked);

type Size = { width: number; height: number };
let size: Size = { width: 1280, height: 720 };
/** Counts acquisitions: what a slow one brings after a newer began is thrown away. */
let microphoneRound = 0;
let cameraRound = 0;

function readPicked(): Picked {
  const none: Picked = { camera: null, microphone: null, speaker: null };
  try {
    return { ...none, ...(JSON.parse(localStorage.getItem(PICKED_KEY) ?? "{}") as Partial<Picked>) };
  } catch {
    return none;
  }
}

export function pick(change: Partial<Picked>): void {
  pickedStore.setState(change);
  localStorage.setItem(PICKED_KEY, JSON.stringify(pickedStore.getState()));
  const { camera, microphone } = captureStore.getState();
  if (change.camera !== undefined && camera !== null) void openCamera();
  if (change.microphone !== undefined && microphone !== null) void openMicrophone();
}

/** Opens what the user wants, each for itself: no camera is no reason to be mute. */
export async function startCapture(wanted: Size): Promise<void> {
  size = wanted;
  const { wantsCamera, wantsMicrophone, microphone, camera } = captureStore.getState();
  // One prompt of the browser for both, where both are wanted and neither is open.
  if (wantsCamera && wantsMicrophone && microphone === null && camera === null && (await openBoth())) return;
  await Promise.all([
    wantsMicrophone && captureStore.getState().microphone === null ? openMicrophone() : undefined,
    wantsCamera && captureStore.getState().camera === null ? openCamera() : undefined,
  ]);
}

export function stopCapture(): void {
  microphoneRound += 1;
  cameraRound += 1;
  const { microphone, camera } = captureStore.getState();
  microphone?.stop();
  camera?.stop();
  captureStore.setState({ microphone: null, camera: null });
}

/** Silences at once; the device stays open so that opening the mouth again is instant. */
export async function toggleMicrophone(): Promise<void> {
  await switchMicrophone(!isOn("microphone"));
}

/** Off means off: the camera's light goes out. */
export async function toggleCamera(): Promise<void> {
  await switchCamera(!isOn("camera"));
}

/** Whether it sends: open, and the microphone not silenced. */
export function isOn(device: "microphone" | "camera"): boolean {
  const { microphone, camera, wantsMicrophone } = captureStore.getState();
  return device === "camera" ? camera !== null : microphone !== null && wantsMicrophone;
}

export async function switchMicrophone(on: boolean): Promise<void> {
  const { microphone } = captureStore.getState();
  captureStore.setState({ wantsMicrophone: on });
  if (microphone !== null) microphone.enabled = on;
  else if (on) await openMicrophone();
}

/** One that is still being opened is not taken either. */
export async function switchCamera(on: boolean): Promise<void> {
  const { camera } = captureStore.getState();
  if (on) {
    captureStore.setState({ wantsCamera: true });
    if (camera === null) await openCamera();
    return;
  }
  camera?.stop();
  captureStore.setState({ wantsCamera: false, camera: null });
}

export async function flipCamera(): Promise<void> {
  const facing = captureStore.getState().facing === "user" ? "environment" : "user";
  captureStore.setState({ facing });
  const { camera } = captureStore.getState();
  // Switched off stays off; the choice holds for the next time.
  if (camera === null) return;
  // Phones open one camera at a time.
  camera.stop();
  await openCamera();
}

async function openBoth(): Promise<boolean> {
  const rounds = [++microphoneRound, ++cameraRound];
  try {
    const stream = await devices().getUserMedia({ audio: microphoneWish(), video: cameraWish() });
    if (rounds[0] !== microphoneRound || rounds[1] !== cameraRound) {
      for (const track of stream.getTracks()) track.stop();
      return true;
    }
    takeMicrophone(stream.getAudioTracks()[0] ?? null);
    takeCamera(stream.getVideoTracks()[0] ?? null);
    return true;
  } catch {
    // One of them is at fault; each alone says which.
    return false;
  }
}

async function openMicrophone(): Promise<void> {
  const round = ++microphoneRound;
  try {
    const stream = await devices().getUserMedia({ audio: microphoneWish() });
    const track = stream.getAudioTracks()[0] ?? null;
    if (round === microphoneRound) takeMicrophone(track);
    else track?.stop();
  } catch (error) {
    if (round !== microphoneRound) return;
    captureStore.getState().microphone?.stop();
    captureStore.setState({ microphone: null, microphoneProblem: problemOf(error) });
  }
}

async function openCamera(): Promise<void> {
  const round = ++cameraRound;
  try {
    const stream = await devices().getUserMedia({ video: cameraWish() });
    const track = stream.getVideoTracks()[0] ?? null;
    if (round === cameraRound) takeCamera(track);
    else track?.stop();
  } catch (error) {
    if (round !== cameraRound) return;
    captureStore.getState().camera?.stop();
    captureStore.setState({ camera: null, cameraProblem: problemOf(error) });
  }
}

function takeMicrophone(track: MediaStreamTrack | null): void {
  const { microphone, wantsMicrophone } = captureStore.getState();
  if (microphone !== track) microphone?.stop();
  if (track !== null) {
    track.enabled = wantsMicrophone;
    track.contentHint = "speech";
    // Unplugged: said as such rather than sending silence for ever.
    track.onended = () => lost("microphone", track);
  }
  captureStore.setState({ microphone: track, microphoneProblem: track === null ? "missing" : null });
}

function takeCamera(track: MediaStreamTrack | null): void {
  const { camera, wantsCamera } = captureStore.getState();
  if (camera !== track) camera?.stop();
  if (!wantsCamera) {
    // Switched off while it was being opened.
    track?.stop();
    captureStore.setState({ camera: null });
    return;
  }
  if (track !== null) {
    track.contentHint = "motion";
    track.onended = () => lost("camera", track);
  }
  captureStore.setState({ camera: track, cameraProblem: track === null ? "missing" : null });
}

function lost(kind: "microphone" | "camera", track: MediaStreamTrack): void {
  const state = captureStore.getState();
  if (state[kind] !== track) return;
  if (kind === "microphone") captureStore.setState({ microphone: null, microphoneProblem: "missing" });
  else captureStore.setState({ camera: null, cameraProblem: "missing" });
}

function devices(): MediaDevices {
  // Absent on pages without TLS, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) throw new DOMException("no secure context", "SecurityError");
  return devices;
}

/** Also of the radio, whose microphone is its own. */
export function microphoneWish(): MediaTrackConstraints {
  const { microphone } = pickedStore.getState();
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    ...(microphone === null ? {} : { deviceId: { ideal: microphone } }),
  };
}

function cameraWish(): MediaTrackConstraints {
  const { camera } = pickedStore.getState();
  return {
    width: { ideal: size.width },
    height: { ideal: size.height },
    frameRate: { ideal: 25, max: 30 },
    facingMode: { ideal: captureStore.getState().facing },
    ...(camera === null ? {} : { deviceId: { ideal: camera } }),
  };
}

export function problemOf(error: unknown): CaptureProblem {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return "refused";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    case "SecurityError":
      return "insecure";
    default:
      return "busy";
  }
}
