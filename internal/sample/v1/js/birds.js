export async function loadBirds() {
  const answer = await fetch('data/birds.json');
  if (!answer.ok) {
    throw new Error(`birds.json: ${answer.status}`);
  }
  return answer.json();
}

export function matching(birds, text) {
  const wanted = text.trim().toLowerCase();
  return birds.filter((bird) => bird.name.toLowerCase().includes(wanted));
}
