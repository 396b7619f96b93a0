import "./conduct.css";

import { AudioOutlined, VideoCameraOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { isOn, switchCamera, switchMicrophone } from "../../media/capture";
import { conduct, useReplica } from "../../protocol/client";
import { deviceStore } from "../../protocol/device";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import type { DeviceOrder } from "../../protocol/generated/DeviceOrder";
import type { MediaDevice } from "../../protocol/generated/MediaDevice";
import type { Participant } from "../../protocol/generated/Participant";
import { useAttempt } from "../../ui/useAttempt";

const DEVICES: readonly MediaDevice[] = ["camera", "microphone"];

/** Orders from above about the own camera and microphone: obeyed or asked, and shown as long as they hold. */
export function DeviceOrders() {
  const own = useReplica((replica) => (replica.ownParticipant === null ? undefined : replica.participants.get(replica.ownParticipant)));
  if (own === undefined) return null;
  return (
    <>
      {DEVICES.map((device) => {
        const order = device === "camera" ? own.cameraOrder : own.microphoneOrder;
        return order === null ? null : <OneOrder key={device} own={own} device={device} order={order} />;
      })}
    </>
  );
}

type Props = { own: Participant; device: MediaDevice; order: DeviceOrder };

function OneOrder({ own, device, order }: Props) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  // A room's terminal that may be answered for obeys whoever stands above; what only closes is obeyed by all.
  const obeys = useStore(deviceStore, ({ device: kind, autoAnswer }) => (kind === "terminal" && autoAnswer && order.ordered) || !order.on);
  const answered = useRef<number | null>(null);
  const { conference } = own;
  const { on, atMs } = order;
  const asked = order.state === "asked";
  useEffect(() => {
    if (!asked || !obeys || answered.current === atMs) return;
    answered.current = atMs;
    attempt(() => carryOut(conference, device, on, atMs));
  }, [asked, obeys, atMs, attempt, conference, device, on]);
  if (order.state === "refused") return null;
  const words = { name: order.byName, reason: order.reason, device: t(`devices.${device}`) };
  return (
    <div className="device-order" role="alert" data-testid={`device-order-${device}`} data-state={order.state} data-on={order.on}>
      {device === "camera" ? <VideoCameraOutlined aria-hidden /> : <AudioOutlined aria-hidden />}
      <span>{t(asked && !obeys ? "conduct.device.asks" : order.on ? "conduct.device.on" : "conduct.device.off", words)}</span>
      {asked && !obeys && (
        <>
          <Button size="small" type="primary" disabled={busy} data-testid={`device-obey-${device}`} onClick={() => attempt(() => carryOut(conference, device, on, atMs))}>
            {t("conduct.device.obey")}
          </Button>
          <Button size="small" disabled={busy} data-testid={`device-refuse-${device}`} onClick={() => attempt(() => conduct(conference, { type: "answerDevice", device, obeyed: false, askedAtMs: atMs }))}>
            {t("conduct.device.refuse")}
          </Button>
        </>
      )}
    </div>
  );
}

/** Says what came of it: a camera that is missing or in use is not switched on by an order either. */
async function carryOut(conference: ConferenceId, device: MediaDevice, on: boolean, askedAtMs: number): Promise<void> {
  await (device === "camera" ? switchCamera(on) : switchMicrophone(on));
  await conduct(conference, { type: "answerDevice", device, obeyed: isOn(device) === on, askedAtMs });
}
