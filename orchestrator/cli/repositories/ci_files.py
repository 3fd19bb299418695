"""The CI files of Git hosts, which check what a pull request does to the policies."""

POLICIES = "policies"
PLACE = "git+https://git.example.com/platform/netpol-canary"  # published nowhere yet
CI_FILES = {"github": ".github/workflows/policies.yaml", "gitlab": ".gitlab-ci.yml"}
_GITHUB = f"""\
# Checks a pull request: what it opens and cuts, new findings, and whether the PolicyTests hold.
name: policies
on: pull_request
permissions:
  contents: read
  pull-requests: write  # for one comment, which is brought up to date; a fork's run has no right to it
  security-events: write  # for findings at their lines
jobs:
  check:
    runs-on: ubuntu-latest
    env: {{BASE: "origin/${{{{ github.base_ref }}}}"}}
    steps:
    - uses: actions/checkout@v4
      with: {{fetch-depth: 0}}  # the base is compared with, too
    - uses: actions/setup-python@v5
      with: {{python-version: "3.12"}}
    - run: pip install {PLACE}  # wherever you keep it
    # 0: fine. 1: blocked. 3: medium risk, which a person has to review: that passes here, since pull requests are reviewed.
    - env: {{GITHUB_TOKEN: "${{{{ github.token }}}}"}}
      run: netpol-canary check {POLICIES} --base "$BASE" -o github --write sarif=policies.sarif --write "markdown=$GITHUB_STEP_SUMMARY" --comment || [ $? -eq 3 ]
    - uses: github/codeql-action/upload-sarif@v4
      if: always()
      continue-on-error: true  # where code scanning is not switched on
      with: {{sarif_file: policies.sarif}}
"""
_GITLAB = f"""\
# Checks a merge request: what it opens and cuts, new findings, and whether the PolicyTests hold.
policies:
  image: python:3.12
  rules: [{{if: $CI_PIPELINE_SOURCE == "merge_request_event"}}]
  variables: {{GIT_DEPTH: 0}}  # the base is compared with, too
  script:
  - pip install {PLACE}  # wherever you keep it
  - base=origin/$CI_MERGE_REQUEST_TARGET_BRANCH_NAME
  # One note on the merge request, where the variable GITLAB_TOKEN holds an access token with the scope api.
  - netpol-canary check {POLICIES} --base "$base" --write gitlab=quality.json --write markdown=summary.md --comment
  allow_failure: {{exit_codes: 3}}  # medium risk: a warning, for a person to review
  artifacts: {{when: always, paths: [summary.md], reports: {{codequality: quality.json}}}}
"""
CI_TEXTS = {"github": _GITHUB, "gitlab": _GITLAB}
