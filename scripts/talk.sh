#!/usr/bin/env bash
# MEMBERS radios in GROUPS talk groups for SECONDS_LONG seconds: from the key to the floor, late entry; `name: value` lines.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${SECONDS_LONG:=60}" "${MEMBERS:=600}" "${GROUPS_COUNT:=48}" "${REPORT:=talk-report.json}"
source scripts/own-server.sh

# The demo county with that many patrols more, each in one group.
county=$folder/county
mkdir "$county"
cp deploy/nanjiang/nanjiang-sites.csv "$county/"
sed 's/^first_groups = .*/first_groups = "groups.csv"/' deploy/nanjiang/liandong.toml >"$county/liandong.toml"
cp deploy/nanjiang/nanjiang-accounts.csv "$county/"
for member in $(seq "$MEMBERS"); do
  echo "member$member,队员$member,field,511922101,"
done >>"$county/nanjiang-accounts.csv"
echo "name,site,members,subtree,priority" >"$county/groups.csv"
for group in $(seq "$GROUPS_COUNT"); do
  echo "巡逻$group组,511922,$(seq -f 'member%g' -s ' ' "$group" "$GROUPS_COUNT" "$MEMBERS"),,routine"
done >>"$county/groups.csv"

config=$county/liandong.toml
start_server
"$target/liandong-loadtest" talk --members "$MEMBERS" --seconds "$SECONDS_LONG" "${access[@]}" --report "$REPORT"
