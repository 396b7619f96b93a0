import "./conference.css";

import {
  AudioMutedOutlined,
  AudioOutlined,
  MutedOutlined,
  PhoneFilled,
  PoweroffOutlined,
  SettingOutlined,
  SoundOutlined,
  SyncOutlined,
  VideoCameraOutlined,
} from "@ant-design/icons";
import { App } from "antd";
import { type ReactNode, useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { captureStore, flipCamera, toggleCamera, toggleMicrophone } from "../../media/capture";
import { meter } from "../../media/sound";
import { conduct, leave, order } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { useAttempt } from "../../ui/useAttempt";
import { CameraOffIcon } from "../../ui/CameraOffIcon";
import { HandIcon } from "../../ui/HandIcon";
import { useOwnCall } from "./useOwnCall";

type Props = {
  conference: ConferenceId;
  size: "desk" | "room" | "phone";
  /** Absent where there is no device check. */
  onDevices?: () => void;
};

const END_BUTTON = { danger: true, "data-testid": "end-confirm" };

/** Own microphone and camera, and the ways out of the call. */
export function CallControls({ conference: id, size, onDevices }: Props) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt } = useAttempt();
  const { conference, me, parties, mayDirect, mayEnd } = useOwnCall(id);
  const allMuted = conference?.allMuted === true;
  // Nothing of an observer is passed on, so that there is nothing to switch.
  const isSent = me?.role !== "observer";

  function end() {
    modal.confirm({
      title: t("conference.endConfirm"),
      content: t("conference.endConfirmText", { count: parties }),
      okText: t("conference.end"),
      okButtonProps: END_BUTTON,
      onOk: () => attempt(() => order({ type: "end", conference: id })),
    });
  }

  return (
    <div className="controls" data-size={size} role="toolbar" aria-label={t("conference.controls")}>
      {isSent && <Microphone />}
      {isSent && <Camera />}
      {isSent && size === "phone" && (
        <Control label={t("field.flip")} testId="flip-camera" icon={<SyncOutlined />} onClick={() => void flipCamera()} />
      )}
      {size !== "phone" && mayDirect && (
        <Control
          label={t(allMuted ? "conference.unmuteAll" : "conference.muteAll")}
          testId="mute-all"
          icon={allMuted ? <SoundOutlined /> : <MutedOutlined />}
          pressed={allMuted}
          onClick={() => attempt(() => order({ type: "muteAll", conference: id, muted: !allMuted }))}
        />
      )}
      {me !== undefined && (me.role === "listener" || me.role === "speaker") && (
        <Control
          label={t(me.handSinceMs === null ? "conduct.raiseHand" : "conduct.ownHandDown")}
          testId="raise-hand"
          icon={<HandIcon />}
          pressed={me.handSinceMs !== null}
          onClick={() => attempt(() => conduct(id, { type: "hand", raised: me.handSinceMs === null }))}
        />
      )}
      {onDevices !== undefined && (
        <Control label={t("devices.title")} testId="call-devices" icon={<SettingOutlined />} onClick={onDevices} />
      )}
      <Control
        label={t(size === "phone" ? "conference.hangUp" : "conference.leave")}
        testId="leave-call"
        kind="leave"
        icon={<PhoneFilled rotate={225} />}
        onClick={() => attempt(leave)}
      />
      {size !== "phone" && mayEnd && (
        <Control
          label={t("conference.end")}
          testId="end-call"
          kind="end"
          icon={<PoweroffOutlined />}
          onClick={end}
        />
      )}
    </div>
  );
}

function Microphone() {
  const { t } = useTranslation();
  const track = useStore(captureStore, (capture) => capture.microphone);
  const wants = useStore(captureStore, (capture) => capture.wantsMicrophone);
  const on = track !== null && wants;
  const level = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (track === null || !on) return;
    return meter(new MediaStream([track]), (value) => {
      level.current?.style.setProperty("scale", `1 ${value.toFixed(2)}`);
    });
  }, [track, on]);
  return (
    <Control
      label={t("conference.mic")}
      hint={t(on ? "conference.micOn" : "conference.micOff")}
      testId="toggle-mic"
      icon={on ? <AudioOutlined /> : <AudioMutedOutlined />}
      off={!on}
      onClick={() => void toggleMicrophone()}
    >
      <span className="control-level" aria-hidden>
        <span ref={level} />
      </span>
    </Control>
  );
}

function Camera() {
  const { t } = useTranslation();
  const on = useStore(captureStore, (capture) => capture.camera !== null);
  return (
    <Control
      label={t("conference.camera")}
      hint={t(on ? "conference.cameraOn" : "conference.cameraOff")}
      testId="toggle-camera"
      icon={on ? <VideoCameraOutlined /> : <CameraOffIcon />}
      off={!on}
      onClick={() => void toggleCamera()}
    />
  );
}

type ControlProps = {
  label: string;
  /** What a press does, where the label only names the thing. */
  hint?: string;
  testId: string;
  icon: ReactNode;
  kind?: "leave" | "end";
  off?: boolean;
  pressed?: boolean;
  onClick: () => void;
  children?: ReactNode;
};

function Control({ label, hint, testId, icon, kind, off = false, pressed = false, onClick, children }: ControlProps) {
  return (
    <button
      type="button"
      className="control"
      data-testid={testId}
      data-kind={kind}
      data-off={off}
      data-pressed={pressed}
      aria-label={hint ?? label}
      title={hint ?? label}
      onClick={onClick}
    >
      <span className="control-icon" aria-hidden>
        {icon}
        {children}
      </span>
      <span className="control-label" aria-hidden>
        {label}
      </span>
    </button>
  );
}
