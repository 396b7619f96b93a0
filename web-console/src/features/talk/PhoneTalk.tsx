import "./talk.css";

import { WarningFilled } from "@ant-design/icons";
import { Switch } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { listen, raiseSos, talkMediaStore, unlisten } from "../../media/talk";
import type { TalkGroupId } from "../../protocol/generated/TalkGroupId";
import { useAttempt } from "../../ui/useAttempt";
import { useWakeLock } from "../../ui/useWakeLock";
import { FloorLine } from "./FloorLine";
import { useGroups } from "./groups";
import { placeNow } from "./place";
import { PttButton } from "./PttButton";
import { choose, useTalkView } from "./store";

/** The radio in one hand: a group, a large key under the thumb, an alarm that no pocket raises. */
export function PhoneTalk() {
  const { t } = useTranslation();
  const groups = useGroups();
  const { chosen } = useTalkView();
  const ears = useStore(talkMediaStore, (media) => media.ears);
  const problem = useStore(talkMediaStore, (media) => media.microphoneProblem);
  const known = groups.find(({ group }) => group.id === chosen) ?? groups.find(({ group }) => ears.has(group.id)) ?? groups[0];
  useWakeLock(ears.size > 0);
  if (known === undefined) return <p className="talk-none">{t("talk.none")}</p>;
  const { group, listeners } = known;
  return (
    <main className="phone-talk" data-busy={known.floor.holder !== null}>
      <div className="phone-groups" role="group" aria-label={t("talk.title")}>
        {groups.map((one) => (
          <button
            key={one.group.id}
            type="button"
            aria-pressed={one.group.id === group.id}
            data-busy={one.floor.holder !== null}
            data-heard={ears.has(one.group.id)}
            data-testid={`choose-group-${one.group.id}`}
            onClick={() => choose(one.group.id)}
          >
            {one.group.plan.name}
          </button>
        ))}
      </div>
      <section className="phone-floor">
        <div className="phone-listen">
          <span className="ld-number">{t("talk.listening", { count: listeners.count })}</span>
          <label>
            {t("talk.listen")}
            <Switch
              checked={ears.has(group.id)}
              aria-label={t("talk.listenTo", { name: group.plan.name })}
              data-testid={`listen-${group.id}`}
              onChange={(on) => (on ? listen(group.id) : unlisten(group.id))}
            />
          </label>
        </div>
        <FloorLine known={known} />
        {problem !== null && (
          <p className="floor-cause" role="alert">
            {t(`devices.problem.${problem}`, { device: t("devices.microphone") })}
          </p>
        )}
      </section>
      <div className="phone-keys">
        <PttButton known={known} size="phone" />
        {group.speaks && <SosKey group={group.id} />}
      </div>
    </main>
  );
}

/** How long the alarm's key is held. */
const HOLD_MS = 1_500;

function SosKey({ group }: { group: TalkGroupId }) {
  const { t } = useTranslation();
  const { attempt } = useAttempt();
  const [holding, setHolding] = useState(false);
  useEffect(() => {
    if (!holding) return;
    const timer = setTimeout(() => {
      setHolding(false);
      if ("vibrate" in navigator) navigator.vibrate([200, 100, 200]);
      attempt(() => raiseSos(group, "sos", placeNow())); // the banner over every page says that it is out
    }, HOLD_MS);
    return () => clearTimeout(timer);
  }, [holding, group, attempt]);
  const stop = () => setHolding(false);
  return (
    <button
      type="button"
      className="sos-key"
      data-holding={holding}
      data-testid="phone-sos"
      onPointerDown={() => setHolding(true)}
      onPointerUp={stop}
      onPointerLeave={stop}
      onPointerCancel={stop}
      onContextMenu={(event) => event.preventDefault()}
    >
      <WarningFilled aria-hidden />
      <span>{t("talk.sosHold")}</span>
    </button>
  );
}
