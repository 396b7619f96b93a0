import "./overview.css";

import { ApartmentOutlined, ArrowUpOutlined, ClusterOutlined, TeamOutlined } from "@ant-design/icons";
import { type ReactNode, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { ring, useReplica } from "../../protocol/client";
import type { Target } from "../../protocol/generated/Target";
import { useAttempt } from "../../ui/useAttempt";
import { useDirectoryView } from "./store";
import { SiteBoard } from "./SiteBoard";
import { siteAbove, tierCounts } from "./tree";

/** What the centre shows while there is no call: how many can be reached, and large ways to call them. */
export function Overview({ extra }: { extra?: ReactNode }) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me);
  const sites = useReplica((replica) => replica.sites);
  const counts = useMemo(() => tierCounts(sites, me.site), [sites, me.site]);
  const above = siteAbove(sites, me.site);
  const township = counts.find((count) => count.tier === "township");
  const community = counts.find((count) => count.tier === "community");
  return (
    <div className="overview">
      <header>
        <h1>{t("overview.greeting", { county: me.siteName })}</h1>
        <p>
          {t("overview.idle")} · {t("overview.hint")}
        </p>
      </header>
      <ul className="overview-counts">
        {counts.map((count) => (
          <li key={count.tier} data-testid={`overview-count-${count.tier}`}>
            <span className="overview-tier">{t(`tier.${count.tier}`)}</span>
            <span className="overview-figure ld-number">
              {count.online}
              <small>/{count.total}</small>
            </span>
            <span className="overview-bar" aria-hidden>
              <span style={{ width: `${(100 * count.online) / count.total}%` }} />
            </span>
            <span className="overview-words">
              {t("overview.online")} {count.online} · {t("overview.offline")} {count.total - count.online}
            </span>
          </li>
        ))}
      </ul>
      {extra}
      <div className="overview-calls">
        {counts.length > 1 && (
          <BigCall
            testId="overview-call-all"
            icon={<ApartmentOutlined />}
            label={t("overview.callAll")}
            hint={t("overview.callAllHint")}
            target={{ type: "subtree", root: me.site }}
            commanded
          />
        )}
        {township !== undefined && (
          <BigCall
            testId="overview-call-township"
            icon={<ClusterOutlined />}
            label={t("overview.callTownships")}
            hint={t("overview.callTownshipsHint", { count: township.total })}
            target={{ type: "tier", tier: "township" }}
            commanded
          />
        )}
        {community !== undefined && (
          <BigCall
            testId="overview-call-community"
            icon={<TeamOutlined />}
            label={t("overview.callCommunities")}
            hint={t("overview.callCommunitiesHint", { count: community.total })}
            target={{ type: "tier", tier: "community" }}
            commanded
          />
        )}
        {above !== undefined && (
          <BigCall
            testId="overview-call-up"
            icon={<ArrowUpOutlined />}
            label={t("overview.callUp", { name: above.name })}
            hint={t("overview.callUpHint")}
            target={{ type: "site", code: above.code }}
            commanded={false}
          />
        )}
      </div>
      {counts.length > 0 && <SiteBoard />}
    </div>
  );
}

type BigCallProps = { testId: string; icon: ReactNode; label: string; hint: string; target: Target; commanded: boolean };

function BigCall({ testId, icon, label, hint, target, commanded }: BigCallProps) {
  const { attempt, busy } = useAttempt();
  const ordered = useDirectoryView((view) => view.ordered);
  return (
    <button
      type="button"
      className="overview-call"
      data-testid={testId}
      disabled={busy}
      onClick={() => attempt(() => ring([target], ordered && commanded))}
    >
      <span className="overview-call-icon" aria-hidden>
        {icon}
      </span>
      <span className="overview-call-label">{label}</span>
      <span className="overview-call-hint">{hint}</span>
    </button>
  );
}
