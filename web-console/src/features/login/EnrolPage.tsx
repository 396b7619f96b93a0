import "./login.css";

import { Button } from "antd";
import { useTranslation } from "react-i18next";

import { enrolled, signOut } from "../../protocol/client";
import { LanguageSwitch } from "../../ui/LanguageSwitch";
import { Mark } from "../../ui/Mark";
import { Enrolment } from "./Enrolment";

/** For an account whose role must have a second factor and that has none yet: nothing else is allowed before. */
export function EnrolPage() {
  const { t } = useTranslation();
  return (
    <main className="login">
      <div className="login-language">
        <LanguageSwitch />
      </div>
      <section className="login-card" aria-labelledby="enrol-title" data-testid="enrol-page">
        <div className="login-brand">
          <Mark size={56} />
          <div>
            <h1 id="enrol-title">{t("security.title")}</h1>
            <p>{t("security.required")}</p>
          </div>
        </div>
        <Enrolment present={false} onDone={() => void enrolled()} />
        <Button type="link" onClick={() => void signOut().catch(() => undefined)}>
          {t("account.signOut")}
        </Button>
      </section>
    </main>
  );
}
