import "./terminal.css";

import { ArrowUpOutlined, SoundOutlined, TeamOutlined } from "@ant-design/icons";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useStore } from "zustand";

import { soundStore, unlockSound } from "../../media/sound";
import { linkStore, ring, useReplica } from "../../protocol/client";
import { deviceStore } from "../../protocol/device";
import type { Target } from "../../protocol/generated/Target";
import { useAttempt } from "../../ui/useAttempt";
import { useNow } from "../../ui/useNow";

/** A room terminal at rest: readable from across the room, and ready to be rung. */
export function IdleScreen({ corner, actions }: { corner: ReactNode; actions?: ReactNode }) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me);
  const sites = useReplica((replica) => replica.sites);
  const online = useStore(linkStore, (link) => link.phase === "online");
  const soundOn = useStore(soundStore, (sound) => sound.unlocked);
  const autoAnswer = useStore(deviceStore, (device) => device.autoAnswer);

  /** The sites above, nearest first. */
  const above = useMemo(() => {
    const chain = [];
    let site = sites.get(me.site);
    while (site?.parent != null) {
      site = sites.get(site.parent);
      if (site !== undefined) chain.push(site);
    }
    return chain;
  }, [sites, me.site]);
  const below = useMemo(
    () => [...sites.values()].filter((site) => site.parent === me.site && site.tier === "community").length,
    [sites, me.site],
  );

  return (
    <main className="idle">
      <div className="idle-corner">{corner}</div>
      <div className="idle-centre">
        <p className="idle-county">{me.countyName}</p>
        <h1>{me.siteName}</h1>
        <BigClock />
        <p className="idle-state" data-online={online}>
          {t(online ? "terminal.ready" : "terminal.notReady")}
        </p>
        <p className="idle-auto">{t(autoAnswer ? "terminal.autoAnswerOn" : "terminal.autoAnswerOff")}</p>
      </div>
      <div className="idle-calls">
        {above.map((site) => (
          <CallButton
            key={site.code}
            testId={`call-up-${site.code}`}
            icon={<ArrowUpOutlined />}
            label={t("terminal.callUp", { name: site.name })}
            target={{ type: "site", code: site.code }}
            ordered={false}
          />
        ))}
        {below > 0 && (
          <CallButton
            testId="call-own-communities"
            icon={<TeamOutlined />}
            label={t("terminal.callOwn")}
            hint={t("terminal.callOwnCount", { count: below })}
            target={{ type: "subtree", root: me.site }}
            ordered
          />
        )}
        {actions}
      </div>
      {!soundOn && (
        <button type="button" className="idle-sound" data-testid="enable-sound" onClick={unlockSound}>
          <SoundOutlined aria-hidden /> {t("terminal.enableSound")}
        </button>
      )}
    </main>
  );
}

type CallButtonProps = {
  testId: string;
  icon: ReactNode;
  label: string;
  hint?: string;
  target: Target;
  ordered: boolean;
};

function CallButton({ testId, icon, label, hint, target, ordered }: CallButtonProps) {
  const { attempt, busy } = useAttempt();
  return (
    <button
      type="button"
      className="idle-call"
      data-testid={testId}
      disabled={busy}
      onClick={() => attempt(() => ring([target], ordered))}
    >
      <span aria-hidden>{icon}</span>
      <span>
        {label}
        {hint !== undefined && <small>{hint}</small>}
      </span>
    </button>
  );
}

function BigClock() {
  const { i18n } = useTranslation();
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const date = new Date(useNow() + offset);
  return (
    <time className="idle-clock ld-number" dateTime={date.toISOString()}>
      <strong>{date.toLocaleTimeString(i18n.language, { hour12: false, hour: "2-digit", minute: "2-digit" })}</strong>
      <span>
        {date.toLocaleDateString(i18n.language, { year: "numeric", month: "long", day: "numeric", weekday: "long" })}
      </span>
    </time>
  );
}
