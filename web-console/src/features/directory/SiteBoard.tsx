import { useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useReplica } from "../../protocol/client";
import type { DirectorySite } from "../../protocol/generated/DirectorySite";
import { useShortName } from "../../ui/siteName";
import { reachable } from "./tree";

/** All own sites at a glance: a card for each directly below, its own sites in it. */
export function SiteBoard() {
  const { t } = useTranslation();
  const shorten = useShortName();
  const sites = useReplica((replica) => replica.sites);
  const own = useReplica((replica) => replica.me.site);
  const groups = useMemo(() => {
    const all = [...sites.values()];
    return all
      .filter((site) => site.parent === own)
      .map((head) => ({ head, below: all.filter((site) => site.parent === head.code) }));
  }, [sites, own]);

  return (
    <ul className="site-board" aria-label={t("directory.title")}>
      {groups.map(({ head, below }) => (
        <li key={head.code} className="site-card">
          <SiteWord site={head} text={shorten(head.name)} head />
          {below.length > 0 && (
            <div className="site-card-below">
              {below.map((site) => (
                <SiteWord key={site.code} site={site} text={shorten(site.name)} />
              ))}
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function SiteWord({ site, text, head = false }: { site: DirectorySite; text: string; head?: boolean }) {
  const { t } = useTranslation();
  const presence = site.presence ?? "unknown";
  return (
    <span className="site-word" data-head={head} data-reachable={reachable(site.presence)} title={site.name}>
      <i className="tree-dot" data-presence={presence} role="img" aria-label={t(`presence.${presence}`)} />
      {text}
    </span>
  );
}
