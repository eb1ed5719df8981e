/** The element id of a field, for its label and for links that lead to it. */
export function fieldId(service: string, name: string): string {
  return `field-${service}-${name}`;
}

export function cardId(service: string): string {
  return `service-${service}`;
}
