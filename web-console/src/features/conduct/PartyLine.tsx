import { AudioMutedOutlined, AudioOutlined, MoreOutlined, VideoCameraOutlined } from "@ant-design/icons";
import { App, Dropdown, type MenuProps } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, order, useReplica } from "../../protocol/client";
import type { AssignedRole } from "../../protocol/generated/AssignedRole";
import type { Participant } from "../../protocol/generated/Participant";
import { CameraOffIcon } from "../../ui/CameraOffIcon";
import { ReasonDialog } from "../../ui/ReasonDialog";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { MoveDialog } from "./MoveDialog";

type Dialog = "move" | "remove" | "cameraOn" | "cameraOff" | "microphoneOn" | "microphoneOff";

type Props = {
  participant: Participant;
  mayDirect: boolean;
  /** In the list of hands: what is wanted there is the word. */
  inHands?: boolean;
};

const ROLES: readonly AssignedRole[] = ["coChair", "speaker", "listener", "observer"];

/** One party: what it is, what it may do, and what may be done with it. */
export function PartyLine({ participant, mayDirect, inHands = false }: Props) {
  const { t } = useTranslation();
  const shorten = useShortName();
  const { attempt, busy } = useAttempt();
  const own = useReplica((replica) => replica.ownParticipant);
  const { id, conference, name, role, state, sound, picture, muted } = participant;
  const fixed = role === "chair" || role === "observer" || state !== "in";
  const permit = (change: { sound?: boolean; picture?: boolean }) =>
    attempt(() => conduct(conference, { type: "permit", participant: id, sound, picture, ...change }));
  const heard = sound && !muted;
  return (
    <li
      className="party"
      data-testid={`${inHands ? "hand" : "party"}-${id}`}
      data-account={participant.account}
      data-role={role}
      data-state={state}
      data-sound={heard}
      data-picture={picture}
    >
      <span className="party-name" title={name}>
        {shorten(name)}
        {id === own && <em>{t("conference.me")}</em>}
      </span>
      <span className="party-state">
        <span className="party-role" data-role={role}>
          {t(`conference.role.${role}`)}
        </span>
        {participant.cameraOrder !== null && (
          <span data-testid={`camera-order-${id}`}>{t(`conduct.device.state.${participant.cameraOrder.state}`, { device: t("devices.camera") })}</span>
        )}
        {participant.microphoneOrder !== null && (
          <span data-testid={`microphone-order-${id}`}>
            {t(`conduct.device.state.${participant.microphoneOrder.state}`, { device: t("devices.microphone") })}
          </span>
        )}
        {state !== "in" && <span data-state={state}>{t(`conference.participantState.${state}`)}</span>}
      </span>
      <span className="party-actions">
        {mayDirect && !fixed ? (
          <>
            <button
              type="button"
              className="party-toggle"
              data-on={heard}
              disabled={busy}
              data-testid={`permit-sound-${inHands ? "hand-" : ""}${id}`}
              aria-label={t(heard ? "conduct.withdrawSound" : "conduct.permitSound", { name })}
              title={t(heard ? "conduct.withdrawSound" : "conduct.permitSound", { name })}
              onClick={() => permit({ sound: !heard })}
            >
              {heard ? <AudioOutlined aria-hidden /> : <AudioMutedOutlined aria-hidden />}
            </button>
            <button
              type="button"
              className="party-toggle"
              data-on={picture}
              disabled={busy}
              data-testid={`permit-picture-${inHands ? "hand-" : ""}${id}`}
              aria-label={t(picture ? "conduct.withdrawPicture" : "conduct.permitPicture", { name })}
              title={t(picture ? "conduct.withdrawPicture" : "conduct.permitPicture", { name })}
              onClick={() => permit({ picture: !picture })}
            >
              {picture ? <VideoCameraOutlined aria-hidden /> : <CameraOffIcon />}
            </button>
          </>
        ) : (
          <span className="party-signs">
            {heard ? <AudioOutlined aria-hidden /> : <AudioMutedOutlined aria-hidden />}
            {picture ? <VideoCameraOutlined aria-hidden /> : <CameraOffIcon />}
          </span>
        )}
        {mayDirect && id !== own && <PartyMenu participant={participant} inHands={inHands} />}
      </span>
    </li>
  );
}

function PartyMenu({ participant, inHands }: { participant: Participant; inHands: boolean }) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const { attempt } = useAttempt();
  const [dialog, setDialog] = useState<Dialog | null>(null);
  const { id, conference, name, role, state, handSinceMs } = participant;
  const spotlit = useReplica((replica) => replica.conferences.get(conference)?.spotlight === id);
  const present = state === "in";
  const item = (key: string, text: string, danger = false) => ({
    key,
    danger,
    label: <span data-testid={`party-${key}-${id}`}>{text}</span>,
  });
  const items: NonNullable<MenuProps["items"]> = [
    ...(present && role !== "observer"
      ? [item("callUp", t("conduct.address.callUp")), item("spotlight", t(spotlit ? "conduct.unspotlight" : "conduct.spotlight"))]
      : []),
    ...(handSinceMs === null ? [] : [item("lowerHand", t("conduct.lowerHand"))]),
    ...(present && role !== "chair"
      ? ROLES.filter((other) => other !== role).map((other) => item(other, t(`conduct.make.${other}`)))
      : []),
    ...(present && role !== "chair" ? [item("handOver", t("wall.handOver"))] : []),
    { type: "divider" as const },
    ...(present && role !== "observer"
      ? [
          participant.camera ? item("cameraOff", t("conduct.device.cameraOff"))  : item("cameraOn", t("conduct.device.cameraOn")),
          participant.microphone ? item("microphoneOff", t("conduct.device.microphoneOff")) : item("microphoneOn", t("conduct.device.microphoneOn")),
          { type: "divider" as const },
        ]
      : []),
    ...(present ? [item("move", t("conduct.move"))] : []),
    item("remove", t("wall.remove"), true),
  ];
  const choose: NonNullable<MenuProps["onClick"]> = ({ key }) => {
    if (key === "move" || key === "remove" || key.startsWith("camera") || key.startsWith("microphone")) setDialog(key as Dialog);
    else if (key === "callUp") attempt(() => conduct(conference, { type: "callUp", participant: id }));
    else if (key === "spotlight") attempt(() => conduct(conference, { type: "spotlight", participant: spotlit ? null : id }));
    else if (key === "lowerHand") attempt(() => conduct(conference, { type: "lowerHand", participant: id }));
    else if (key === "handOver") {
      modal.confirm({
        title: t("wall.handOverConfirm", { name }),
        onOk: () => attempt(() => order({ type: "handOver", conference, participant: id }), t("done.handedOver", { name })),
      });
    } else attempt(() => conduct(conference, { type: "setRole", participant: id, role: key as AssignedRole }));
  };
  return (
    <>
      <Dropdown trigger={["click"]} menu={{ items, onClick: choose }}>
        <button type="button" className="party-toggle" data-testid={`party-menu-${inHands ? "hand-" : ""}${id}`} aria-label={t("wall.menu", { name })}>
          <MoreOutlined aria-hidden />
        </button>
      </Dropdown>
      {dialog === "move" && <MoveDialog participant={participant} onClose={() => setDialog(null)} />}
      {dialog !== null && dialog !== "move" && dialog !== "remove" && (
        <ReasonDialog
          title={`${t(`conduct.device.${dialog}`)} · ${name}`}
          action={t(`conduct.device.${dialog}`)}
          testId="device"
          onClose={() => setDialog(null)}
          onReason={(reason) =>
            attempt(() =>
              conduct(conference, {
                type: "orderDevice",
                participant: id,
                device: dialog.startsWith("camera") ? "camera" : "microphone",
                on: dialog.endsWith("On"),
                reason,
              }),
            )
          }
        />
      )}
      {dialog === "remove" && (
        <ReasonDialog
          title={t("wall.removeTitle", { name })}
          action={t("wall.remove")}
          danger
          testId="party-remove"
          onClose={() => setDialog(null)}
          onReason={(reason) =>
            attempt(() => order({ type: "remove", conference, participant: id, reason }), t("done.removed", { name }))
          }
        />
      )}
    </>
  );
}
