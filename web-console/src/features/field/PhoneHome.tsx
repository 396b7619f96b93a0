import "./field.css";

import { PhoneFilled, TeamOutlined } from "@ant-design/icons";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ring, useReplica } from "../../protocol/client";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import { useAttempt } from "../../ui/useAttempt";
import { PushSwitch } from "./PushSwitch";

type Props = {
  status: ReactNode;
  menu: ReactNode;
  /** What those who command have besides. */
  children?: ReactNode;
};

/** A phone at rest: who I am, whether I can be reached, and one large way to call my centre. */
export function PhoneHome({ status, menu, children }: Props) {
  const { t } = useTranslation();
  const me = useReplica((replica) => replica.me);
  const centre = useReplica((replica) => centreOf(replica.sites, me.role === "field" ? me.site : null, me.site));
  const hasBelow = useReplica((replica) => [...replica.sites.values()].some((site) => site.parent === me.site));
  const { attempt, busy } = useAttempt();
  return (
    <main className="phone-home">
      <header>
        <div>
          <h1>{me.name}</h1>
          <p>
            {me.siteName} · {t(`role.${me.role}`)}
          </p>
        </div>
        {menu}
      </header>
      <div className="phone-status">{status}</div>
      <PushSwitch />
      {children !== undefined && <div className="phone-more">{children}</div>}
      {centre !== undefined && (
        <div className="phone-call" data-small={children !== undefined}>
          <button
            type="button"
            data-testid="call-centre"
            disabled={busy}
            aria-label={t("field.callCentre", { name: centre.name })}
            onClick={() => attempt(() => ring([{ type: "site", code: centre.code }], false))}
          >
            <PhoneFilled aria-hidden />
          </button>
          <strong>{t("field.callCentre", { name: centre.name })}</strong>
          <span>{t("field.callCentreHint")}</span>
        </div>
      )}
      {hasBelow && me.role !== "field" && (
        <button
          type="button"
          className="phone-below"
          data-testid="phone-call-subtree"
          disabled={busy}
          onClick={() => attempt(() => ring([{ type: "subtree", root: me.site }], true))}
        >
          <TeamOutlined aria-hidden />
          <span>
            {t("overview.callAll")}
            <small>{t("overview.callAllHint")}</small>
          </span>
        </button>
      )}
    </main>
  );
}

/** A patrol member's centre is its own site; a site's is the one above. */
function centreOf(sites: ReadonlyMap<string, DirectorySite>, field: string | null, site: string) {
  if (field !== null) return sites.get(field);
  const parent = sites.get(site)?.parent;
  return parent == null ? undefined : sites.get(parent);
}
