import "./invitations.css";

import { AimOutlined, CloseOutlined, PhoneOutlined, RedoOutlined } from "@ant-design/icons";
import { Button } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { order, useReplica } from "../../protocol/client";
import type { ConferenceId } from "../../protocol/generated/ConferenceId";
import { clockOf } from "../../ui/time";
import { QualitySign } from "../../ui/QualitySign";
import { useShortName } from "../../ui/siteName";
import { useAttempt } from "../../ui/useAttempt";
import { useNow } from "../../ui/useNow";
import { Pursuing } from "./Pursuing";
import { absentees, boardOf, type Entry, type Group, pursuitOf, targetOf } from "./board";

const GROUPS: readonly Group[] = ["absent", "pending", "joined"];
const TITLES = { absent: "groupAbsent", pending: "groupPending", joined: "groupJoined" } as const;

type Props = {
  conference: ConferenceId;
  /** Only who directs the call rings all absentees. */
  mayCallAbsent: boolean;
};

/** Who was called into the call, and what became of it. */
export function InvitationBoard({ conference, mayCallAbsent }: Props) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const invitations = useReplica((replica) => replica.invitations);
  const participants = useReplica((replica) => replica.participants);
  const clockOffsetMs = useReplica((replica) => replica.clockOffsetMs);
  const board = useMemo(() => boardOf({ invitations, participants }, conference), [invitations, participants, conference]);
  const serverNow = useNow() + clockOffsetMs;
  const absent = absentees(board);
  const total = board.absent.length + board.pending.length + board.joined.length;

  return (
    <section className="board" aria-labelledby="board-title" data-testid="invitation-board">
      <header className="board-head">
        <h2 id="board-title">{t("invitation.title")}</h2>
        <span className="ld-number">{t("invitation.summary", { total, joined: board.joined.length })}</span>
      </header>
      <div className="board-progress" aria-hidden>
        {GROUPS.map((group) => (
          <span key={group} data-group={group} style={{ flexGrow: board[group].length }} />
        ))}
      </div>
      {mayCallAbsent && (
        <Button
          data-testid="call-absent"
          type="primary"
          danger={absent > 0}
          icon={<RedoOutlined aria-hidden />}
          disabled={absent === 0}
          loading={busy}
          onClick={() => attempt(() => order({ type: "inviteAbsent", conference }))}
        >
          {absent === 0 ? t("invitation.callAbsent") : t("invitation.callAbsentCount", { count: absent })}
        </Button>
      )}
      <div className="board-list">
        {total === 0 && <p className="board-none">{t("invitation.none")}</p>}
        {GROUPS.map((group) =>
          board[group].length === 0 ? null : (
            <section key={group} aria-label={t(`invitation.${TITLES[group]}`)}>
              <h3 data-group={group}>
                {t(`invitation.${TITLES[group]}`)} <span className="ld-number">{board[group].length}</span>
              </h3>
              <ul>
                {board[group].map((entry) => (
                  <Line key={entry.invitation.id} entry={entry} serverNow={serverNow} />
                ))}
              </ul>
            </section>
          ),
        )}
      </div>
    </section>
  );
}

function Line({ entry, serverNow }: { entry: Entry; serverNow: number }) {
  const { t } = useTranslation();
  const { attempt, busy } = useAttempt();
  const { invitation, group, left } = entry;
  const { id, name, state } = invitation;
  const shorten = useShortName();
  const pursuits = useReplica((replica) => replica.pursuits);
  const pursuit = pursuitOf(pursuits, invitation);
  return (
    <li
      className="board-line"
      data-testid={`invitation-${id}`}
      data-state={state}
      data-target={targetOf(invitation.target)}
      data-group={group}
    >
      <span className="board-name" title={name}>
        {shorten(name)}
      </span>
      <span className="board-state" data-state={left ? "left" : state}>
        {left ? t("conference.participantState.left") : t(`invitation.state.${state}`)}
        {group === "joined" && invitation.participant !== null && <QualitySign participant={invitation.participant} />}
      </span>
      <span className="board-time ld-number">
        {timeText(entry, serverNow)}
        {invitation.attempt > 1 && <em>{t("invitation.attempt", { count: invitation.attempt })}</em>}
      </span>
      {group === "pending" && state !== "accepted" && (
        <button
          type="button"
          className="board-action"
          aria-label={t("invitation.cancelName", { name })}
          title={t("invitation.cancel")}
          disabled={busy}
          data-testid={`cancel-invitation-${id}`}
          onClick={() => attempt(() => order({ type: "cancelInvitation", invitation: id }))}
        >
          <CloseOutlined aria-hidden />
        </button>
      )}
      {group === "absent" && (
        <button
          type="button"
          className="board-action"
          aria-label={t("invitation.againName", { name })}
          title={t("invitation.again")}
          disabled={busy}
          data-testid={`ring-again-${id}`}
          onClick={() =>
            attempt(() =>
              order({
                type: "invite",
                conference: invitation.conference,
                targets: [invitation.target],
                ordered: invitation.ordered,
              }),
            )
          }
        >
          <PhoneOutlined aria-hidden />
        </button>
      )}
      {group === "absent" && !left && state !== "cancelled" && pursuit?.state !== "calling" && (
        <button
          type="button"
          className="board-action"
          aria-label={t("pursuit.beginName", { name })}
          title={t("pursuit.begin")}
          disabled={busy}
          data-testid={`pursue-${id}`}
          onClick={() => attempt(() => order({ type: "pursue", invitation: id }))}
        >
          <AimOutlined aria-hidden />
        </button>
      )}
      {pursuit !== undefined && group !== "joined" && <Pursuing pursuit={pursuit} serverNow={serverNow} />}
    </li>
  );
}

/** How long it rings, or how long it rang. */
function timeText({ invitation }: Entry, serverNow: number): string {
  return clockOf((invitation.settledAtMs ?? serverNow) - invitation.rungAtMs);
}
