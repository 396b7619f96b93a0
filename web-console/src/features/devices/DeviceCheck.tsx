import "./devices.css";

import { SoundOutlined } from "@ant-design/icons";
import { Button, Modal, Select, Switch } from "antd";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { captureStore, type Picked, pick, pickedStore, startCapture, stopCapture } from "../../media/capture";
import { meter, testTone } from "../../media/sound";
import { Picture } from "../../media/Streams";
import { SHAPES } from "../../media/call";
import { changeAutoAnswer, useReplica } from "../../protocol/client";
import { deviceStore } from "../../protocol/device";

/** Choose and try camera, microphone and loudspeaker; in a call and before. */
export function DeviceCheck({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal open={open} title={t("devices.title")} onCancel={onClose} footer={null} width={640} centered destroyOnHidden>
      <Body />
    </Modal>
  );
}

function Body() {
  const { t } = useTranslation();
  const camera = useStore(captureStore, (capture) => capture.camera);
  const microphone = useStore(captureStore, (capture) => capture.microphone);
  const cameraProblem = useStore(captureStore, (capture) => capture.cameraProblem);
  const microphoneProblem = useStore(captureStore, (capture) => capture.microphoneProblem);
  const picked = useStore(pickedStore);
  const inCall = useReplica((replica) => replica.ownConference !== null);
  const devices = useDeviceList(camera, microphone);
  const stream = useMemo(() => (camera === null ? null : new MediaStream([camera])), [camera]);
  useCaptureOutsideCall(inCall);

  return (
    <div className="devices">
      <div className="devices-preview" role="img" aria-label={t("devices.preview")}>
        <Picture stream={stream} mirrored />
        {stream === null && (
          <span>
            {cameraProblem === null
              ? t("devices.noPreview")
              : t(`devices.problem.${cameraProblem}`, { device: t("devices.camera") })}
          </span>
        )}
      </div>
      <Choice kind="videoinput" field="camera" devices={devices} picked={picked} />
      <Choice kind="audioinput" field="microphone" devices={devices} picked={picked} />
      <Level track={microphone} />
      <p className="devices-hint">
        {microphoneProblem === null
          ? t("devices.levelHint")
          : t(`devices.problem.${microphoneProblem}`, { device: t("devices.microphone") })}
      </p>
      <Choice kind="audiooutput" field="speaker" devices={devices} picked={picked} />
      <TestTone sinkId={picked.speaker} />
      <AutoAnswer />
    </div>
  );
}

/** The dialog opens the devices for itself; in a call they are open already. */
function useCaptureOutsideCall(inCall: boolean): void {
  const joined = useRef(inCall);
  useEffect(() => {
    joined.current = inCall;
  }, [inCall]);
  useEffect(() => {
    if (!joined.current) void startCapture(SHAPES[deviceStore.getState().device]);
    return () => {
      if (!joined.current) stopCapture();
    };
  }, []);
}

function useDeviceList(...opened: unknown[]): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  // Names are only told once a device was opened, so the list is read again then.
  const round = opened.filter((track) => track !== null).length;
  useEffect(() => {
    const media = navigator.mediaDevices as MediaDevices | undefined;
    if (media === undefined) return;
    let current = true;
    const read = () =>
      void media.enumerateDevices().then(
        (list) => current && setDevices(list),
        () => undefined,
      );
    read();
    media.addEventListener("devicechange", read);
    return () => {
      current = false;
      media.removeEventListener("devicechange", read);
    };
  }, [round]);
  return devices;
}

type ChoiceProps = { kind: MediaDeviceKind; field: keyof Picked; devices: MediaDeviceInfo[]; picked: Picked };

function Choice({ kind, field, devices, picked }: ChoiceProps) {
  const { t } = useTranslation();
  const options = devices
    .filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default")
    .map((device, index) => ({ value: device.deviceId, label: device.label || `${t(`devices.${field}`)} ${index + 1}` }));
  const value = picked[field];
  return (
    <div className="devices-choice">
      <label htmlFor={`device-${field}`}>{t(`devices.${field}`)}</label>
      <Select
        id={`device-${field}`}
        aria-label={t(`devices.${field}`)}
        value={options.some((option) => option.value === value) ? value : ""}
        options={[{ value: "", label: t("devices.default") }, ...options]}
        onChange={(chosen) => pick({ [field]: chosen === "" ? null : chosen })}
      />
    </div>
  );
}

function Level({ track }: { track: MediaStreamTrack | null }) {
  const { t } = useTranslation();
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (track === null) return;
    return meter(new MediaStream([track]), (level) => bar.current?.style.setProperty("clip-path", `inset(0 ${Math.round(100 - 100 * level)}% 0 0)`));
  }, [track]);
  return (
    <div className="devices-level" role="img" aria-label={t("devices.level")}>
      <span ref={bar} />
    </div>
  );
}

function TestTone({ sinkId }: { sinkId: string | null }) {
  const { t } = useTranslation();
  const [playing, setPlaying] = useState(false);
  return (
    <Button
      icon={<SoundOutlined aria-hidden />}
      disabled={playing}
      data-testid="test-tone"
      onClick={() => {
        setPlaying(true);
        void testTone(sinkId)
          .catch(() => undefined)
          .finally(() => setPlaying(false));
      }}
    >
      {t(playing ? "devices.testTonePlaying" : "devices.testTone")}
    </Button>
  );
}

function AutoAnswer() {
  const { t } = useTranslation();
  const allowed = useStore(deviceStore, (state) => state.autoAnswer);
  return (
    <div className="devices-auto">
      <Switch
        id="auto-answer"
        data-testid="auto-answer"
        aria-labelledby="auto-answer-label"
        checked={allowed}
        onChange={changeAutoAnswer}
      />
      <div>
        <label id="auto-answer-label" htmlFor="auto-answer">
          {t("devices.autoAnswer")}
        </label>
        <p>{t("devices.autoAnswerHint")}</p>
      </div>
    </div>
  );
}
