import { ApartmentOutlined, CaretRightOutlined, PhoneOutlined, UserOutlined, VideoCameraFilled } from "@ant-design/icons";
import { Checkbox } from "antd";
import { memo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { AccountId } from "../../protocol/generated/AccountId";
import type { Presence } from "../../protocol/generated/Presence";
import type { SiteCode } from "../../protocol/generated/SiteCode";
import type { Target } from "../../protocol/generated/Target";
import type { Replica } from "../../protocol/replica";
import { useShortName } from "../../ui/siteName";
import { SecondFactorReset } from "./SecondFactorReset";
import { SignInLink } from "./SignInLink";
import { targetKey, toggleCollapsed, toggleSelected, useDirectoryView } from "./store";
import type { Row } from "./tree";

type Props = {
  row: Row;
  rowKey: string;
  /** The line that Tab enters the tree at. */
  isActive: boolean;
  onCall: (target: Target, commanded: boolean) => void;
};

export const TreeRow = memo(function TreeRow({ row, rowKey, isActive, onCall }: Props) {
  return (
    <div
      className="tree-row"
      role="treeitem"
      aria-level={row.level}
      aria-expanded={row.type === "site" && row.hasChildren ? row.expanded : undefined}
      aria-selected={false}
      tabIndex={isActive ? 0 : -1}
      data-row={rowKey}
      data-testid={`tree-node-${rowKey}`}
      data-presence={(row.type === "site" ? row.site.presence : row.person.presence) ?? "unknown"}
      style={{ paddingInlineStart: `${(row.level - 1) * 18 + 6}px` }}
    >
      {row.type === "site" ? (
        <SiteLine row={row} onCall={onCall} />
      ) : (
        <PersonLine row={row} onCall={onCall} />
      )}
    </div>
  );
});

function SiteLine({ row, onCall }: { row: Extract<Row, { type: "site" }>; onCall: Props["onCall"] }) {
  const { t } = useTranslation();
  const shorten = useShortName();
  const { site } = row;
  const name = site.name;
  const isOwn = useReplica((replica) => replica.me.site === site.code);
  const inCall = useReplica((replica) => isInOwnCall(replica, site.code, null));
  const target: Target = { type: "site", code: site.code };
  const canOrderBelow = (site.commanded || isOwn) && row.below > 0;
  return (
    <>
      {row.hasChildren ? (
        <button
          type="button"
          className="tree-fold"
          tabIndex={-1}
          data-expanded={row.expanded}
          aria-label={t(row.expanded ? "directory.collapse" : "directory.expand", { name })}
          onClick={() => toggleCollapsed(site.code)}
        >
          <CaretRightOutlined aria-hidden />
        </button>
      ) : (
        <span className="tree-fold" />
      )}
      <Select target={target} name={name} commanded={site.commanded} disabled={isOwn} />
      <Dot presence={site.presence} />
      <span className="tree-name" title={`${name} · ${site.code}`}>
        {row.level === 1 ? name : shorten(name)}
      </span>
      {inCall && !isOwn && <VideoCameraFilled className="tree-in-call" aria-label={t("directory.inCall")} title={t("directory.inCall")} />}
      {isOwn && <span className="tree-chip tree-chip-own">{t("directory.self")}</span>}
      {row.below > 0 && row.site.presence !== null && (
        <span className="tree-count ld-number" title={t("directory.onlineOf", { online: row.belowOnline, total: row.below })}>
          {row.belowOnline}/{row.below}
        </span>
      )}
      <span className="tree-actions">
        {canOrderBelow && (
          <button
            type="button"
            className="tree-action"
            data-testid={`call-subtree-${site.code}`}
            title={t("directory.callSubtree", { name })}
            aria-label={t("directory.callSubtree", { name })}
            onClick={() => onCall({ type: "subtree", root: site.code }, true)}
          >
            <ApartmentOutlined aria-hidden />
          </button>
        )}
        {!isOwn && (
          <button
            type="button"
            className="tree-action"
            data-testid={`call-site-${site.code}`}
            title={t(site.commanded ? "directory.callSite" : "directory.callUp", { name })}
            aria-label={t(site.commanded ? "directory.callSite" : "directory.callUp", { name })}
            onClick={() => onCall(target, site.commanded)}
          >
            <PhoneOutlined aria-hidden />
          </button>
        )}
      </span>
    </>
  );
}

function PersonLine({ row, onCall }: { row: Extract<Row, { type: "person" }>; onCall: Props["onCall"] }) {
  const { t } = useTranslation();
  const { person, commanded } = row;
  const target: Target = { type: "person", account: person.account };
  const isSelf = useReplica((replica) => replica.me.account === person.account);
  const inCall = useReplica((replica) => isInOwnCall(replica, person.site, person.account));
  return (
    <>
      <span className="tree-fold">
        <UserOutlined aria-hidden />
      </span>
      <Select target={target} name={person.name} commanded={commanded} disabled={isSelf} />
      <Dot presence={person.presence} />
      <span className="tree-name" title={`${person.name} · ${t(`role.${person.role}`)}`}>
        {person.name}
      </span>
      {inCall && <VideoCameraFilled className="tree-in-call" aria-label={t("directory.inCall")} title={t("directory.inCall")} />}
      <span className="tree-actions">
        <SignInLink person={person} />
        <SecondFactorReset account={person.account} />
        {!isSelf && (
          <button
            type="button"
            className="tree-action"
            data-testid={`call-person-${person.account}`}
            title={t("directory.callPerson", { name: person.name })}
            aria-label={t("directory.callPerson", { name: person.name })}
            onClick={() => onCall(target, commanded)}
          >
            <PhoneOutlined aria-hidden />
          </button>
        )}
      </span>
    </>
  );
}

function Select({ target, name, commanded, disabled }: { target: Target; name: string; commanded: boolean; disabled: boolean }) {
  const { t } = useTranslation();
  const checked = useDirectoryView((view) => view.selected.has(targetKey(target)));
  return (
    <Checkbox
      className="tree-check"
      aria-label={t("directory.select", { name })}
      checked={checked}
      disabled={disabled}
      onChange={() => toggleSelected(target, commanded)}
    />
  );
}

function Dot({ presence }: { presence: Presence | null }) {
  const { t } = useTranslation();
  const known = presence ?? "unknown";
  return <span className="tree-dot" data-presence={known} role="img" aria-label={t(`presence.${known}`)} />;
}

/** `account` null: anybody who sits at the site. */
function isInOwnCall(replica: Replica, site: SiteCode, account: AccountId | null): boolean {
  if (replica.ownConference === null) return false;
  for (const participant of replica.participants.values()) {
    if (participant.conference !== replica.ownConference || participant.state === "left") continue;
    if (account === null ? participant.site === site && !replica.people.has(participant.account) : participant.account === account) {
      return true;
    }
  }
  return false;
}
