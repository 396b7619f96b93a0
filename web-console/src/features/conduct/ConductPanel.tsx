import "./conduct.css";

import { LockOutlined, UnlockOutlined, UserAddOutlined } from "@ant-design/icons";
import { Button, Segmented, Switch } from "antd";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { conduct, useReplica } from "../../protocol/client";
import type { ConferenceMode } from "../../protocol/generated/ConferenceMode";
import type { Conference } from "../../protocol/generated/Conference";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { useAttempt } from "../../ui/useAttempt";
import { clockOf } from "../../ui/time";
import { useNow } from "../../ui/useNow";
import { Direction } from "./Direction";
import { InsertDialog } from "./InsertDialog";
import { PartyLine } from "./PartyLine";
import { RollSheet } from "./RollSheet";
import { handsOf, rosterOf } from "./roster";

type Props = {
  conference: ConferenceId;
  /** The own party conducts; else it only sees. */
  mayDirect: boolean;
};

/** Who is in the call as what, who asks for the word, and all that the chair orders. */
export function ConductPanel({ conference: id, mayDirect }: Props) {
  const { t } = useTranslation();
  const conference = useReplica((replica) => replica.conferences.get(id));
  const participants = useReplica((replica) => replica.participants);
  const roster = useMemo(() => rosterOf(participants, id), [participants, id]);
  const hands = handsOf(roster);
  const [inserting, setInserting] = useState(false);
  const [closed, setClosed] = useState<number | null>(null);
  if (conference === undefined) return null;
  const { roll } = conference;
  return (
    <section className="conduct" aria-label={t("conduct.title")} data-testid="conduct-panel">
      {mayDirect && <Rules conference={conference} />}
      {mayDirect && <Direction conference={conference} />}
      {mayDirect && (
        <Button icon={<UserAddOutlined aria-hidden />} data-testid="insert" onClick={() => setInserting(true)}>
          {t("conduct.insert")}
        </Button>
      )}
      <div className="conduct-list">
        {roll !== null && roll.startedAtMs !== closed && (
          <RollSheet conference={id} roll={roll} mayDirect={mayDirect} onClose={() => setClosed(roll.startedAtMs)} />
        )}
        {conference.knocks.length > 0 && <Lobby conference={conference} mayDirect={mayDirect} />}
        {hands.length > 0 && (
          <section aria-label={t("conduct.hands")}>
            <h3 data-kind="hands">
              {t("conduct.hands")} <span className="ld-number">{hands.length}</span>
            </h3>
            <ol data-testid="hands">
              {hands.map((one) => (
                <PartyLine key={one.id} participant={one} mayDirect={mayDirect} inHands />
              ))}
            </ol>
          </section>
        )}
        <h3>
          {t("conduct.parties")} <span className="ld-number">{roster.length}</span>
        </h3>
        <ul data-testid="roster">
          {roster.map((one) => (
            <PartyLine key={one.id} participant={one} mayDirect={mayDirect} />
          ))}
        </ul>
      </div>
      {inserting && <InsertDialog conference={id} onClose={() => setInserting(false)} />}
    </section>
  );
}

/** What holds for all. */
function Rules({ conference }: { conference: Conference }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { id, mode, locked, lobby } = conference;
  return (
    <div className="conduct-rules">
      <Segmented<ConferenceMode>
        block
        value={mode}
        disabled={busy}
        data-testid="conference-mode"
        options={[
          { value: "free", label: <span data-testid="mode-free">{t("conduct.mode.free")}</span> },
          { value: "chaired", label: <span data-testid="mode-chaired">{t("conduct.mode.chaired")}</span> },
        ]}
        onChange={(next) => attempt(() => conduct(id, { type: "setMode", mode: next }))}
      />
      <label className="conduct-rule">
        {locked ? <LockOutlined aria-hidden /> : <UnlockOutlined aria-hidden />}
        <span>{t("conduct.lock")}</span>
        <Switch
          size="small"
          checked={locked}
          disabled={busy}
          data-testid="lock"
          onChange={(next) => attempt(() => conduct(id, { type: "lock", locked: next }))}
        />
      </label>
      <label className="conduct-rule">
        <UserAddOutlined aria-hidden />
        <span>{t("conduct.lobby")}</span>
        <Switch
          size="small"
          checked={lobby}
          disabled={busy}
          data-testid="lobby"
          onChange={(next) => attempt(() => conduct(id, { type: "setLobby", open: next }))}
        />
      </label>
    </div>
  );
}

function Lobby({ conference, mayDirect }: { conference: Conference; mayDirect: boolean }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const offset = useReplica((replica) => replica.clockOffsetMs);
  const now = useNow() + offset;
  const admit = (account: string, admitted: boolean) =>
    attempt(() => conduct(conference.id, { type: "admit", account, admitted }));
  return (
    <section aria-label={t("conduct.waiting")}>
      <h3 data-kind="hands">
        {t("conduct.waiting")} <span className="ld-number">{conference.knocks.length}</span>
      </h3>
      <ul data-testid="lobby-list">
        {conference.knocks.map((knock) => (
          <li key={knock.account} className="party" data-testid={`knock-${knock.account}`}>
            <span className="party-name">{knock.name}</span>
            <span className="party-state ld-number">{clockOf(now - knock.sinceMs)}</span>
            {mayDirect && (
              <span className="party-actions">
                <Button size="small" type="primary" disabled={busy} data-testid={`admit-${knock.account}`} onClick={() => admit(knock.account, true)}>
                  {t("conduct.admit")}
                </Button>
                <Button size="small" disabled={busy} data-testid={`refuse-${knock.account}`} onClick={() => admit(knock.account, false)}>
                  {t("conduct.refuse")}
                </Button>
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
