import "./conduct.css";

import { EyeOutlined, PauseCircleOutlined } from "@ant-design/icons";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { DeviceOrders } from "./DeviceOrders";
import { observersOf } from "./roster";

/** What the own party is and may, who listens in, and which place is kept for it meanwhile. */
export function OwnState({ conference: id }: { conference: ConferenceId }) {
  const { t } = useTranslation();
  const participants = useReplica((replica) => replica.participants);
  const own = useReplica((replica) => replica.ownParticipant);
  const doors = useReplica((replica) => replica.doors);
  const observers = useMemo(() => observersOf(participants, id), [participants, id]);
  const me = own === null ? undefined : participants.get(own);
  const address = useReplica((replica) => replica.conferences.get(id)?.address ?? null);
  const held = doors.filter((door) => door.state === "held");
  const role = me?.role;
  const permitted =
    me === undefined || role !== "listener"
      ? null
      : me.sound && me.picture
        ? "both"
        : me.sound
          ? "sound"
          : me.picture
            ? "picture"
            : "none";
  return (
    <div className="own-state" role="status">
      <DeviceOrders />
      {address !== null && me !== undefined && me.role !== "observer" && (
        <span className="own-state-sign" data-kind={me.sound ? "open" : "closed"} data-testid="own-address" data-heard={me.sound}>
          {t(
            address.type === "named" && address.participant === own
              ? "conduct.address.youSpeak"
              : me.sound
                ? "conduct.address.youAreHeard"
                : address.type === "named"
                  ? "conduct.address.otherSpeaks"
                  : "conduct.address.broadcastGoesOn",
            { name: address.type === "named" ? (participants.get(address.participant)?.name ?? "") : "" },
          )}
        </span>
      )}
      {permitted !== null && address === null && (
        <span className="own-state-sign" data-kind={permitted === "none" ? "closed" : "open"} data-testid="own-permission">
          {t(`conduct.own.${permitted}`)}
        </span>
      )}
      {role === "observer" && (
        <span className="own-state-sign" data-kind="observer" data-testid="own-observer">
          <EyeOutlined aria-hidden /> {t("conduct.own.observer")}
        </span>
      )}
      {role === "coChair" && <span className="own-state-sign">{t("conduct.own.coChair")}</span>}
      {observers
        .filter((one) => one.id !== own)
        .map((one) => (
          <span key={one.id} className="own-state-sign" data-kind="observer" data-testid={`observer-${one.id}`}>
            <EyeOutlined aria-hidden /> {t("conduct.observedBy", { name: one.name })}
          </span>
        ))}
      {held.map((door) => (
        <span key={door.conference} className="own-state-sign" data-kind="held" data-testid={`held-${door.conference}`}>
          <PauseCircleOutlined aria-hidden /> {t("conduct.heldHere", { title: door.title === "" ? door.fromSiteName : door.title })}
        </span>
      ))}
    </div>
  );
}
