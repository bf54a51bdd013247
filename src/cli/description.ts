/** What `epic inspect` says of one file, for people and for scripts. */
export interface Description {
  readonly text: string;
  /** Goes behind `kind` and `file` in the JSON document. */
  readonly fields: Readonly<Record<string, unknown>>;
}
