"""Sentences of one meaning in three languages."""

MEANINGS = (
    (
        "The train to the coast leaves early in the morning.",
        "Der Zug an die Küste fährt früh am Morgen ab.",
        "Le train pour la côte part tôt le matin.",
    ),
    (
        "I would like to return these shoes, they are too small.",
        "Ich möchte diese Schuhe zurückgeben, sie sind zu klein.",
        "Je voudrais rendre ces chaussures, elles sont trop petites.",
    ),
    (
        "The parliament voted against the new tax.",
        "Das Parlament stimmte gegen die neue Steuer.",
        "Le parlement a voté contre la nouvelle taxe.",
    ),
    (
        "My grandmother bakes bread every Sunday.",
        "Meine Großmutter backt jeden Sonntag Brot.",
        "Ma grand-mère fait du pain tous les dimanches.",
    ),
)
