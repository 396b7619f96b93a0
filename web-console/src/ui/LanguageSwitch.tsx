import { Segmented } from "antd";
import { useTranslation } from "react-i18next";

import { changeLanguage, LANGUAGES, type Language } from "../i18n";

export function LanguageSwitch() {
  const { t, i18n } = useTranslation();
  return (
    <Segmented<Language>
      aria-label={t("language.label")}
      size="small"
      value={i18n.language === "en" ? "en" : "zh-CN"}
      options={LANGUAGES.map((language) => ({ value: language, label: t(`language.${language}`) }))}
      onChange={changeLanguage}
    />
  );
}
