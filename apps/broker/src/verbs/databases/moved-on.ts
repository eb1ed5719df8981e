/** The lease, its build or the job is not as it was: whoever changed it goes on. */
export class MovedOn extends Error {
  override readonly name = "MovedOn";
}

export function movedOn(): MovedOn {
  return new MovedOn("the lease or its job has moved on");
}
