//! Images made through the runtime, which tells of them.

use crate::error::RuntimeError;
use crate::events::{Action, Event};
use crate::image::{Change, Image, ImageReference, ImportSource, import};
use crate::runtime::Runtime;

impl Runtime {
    /// Makes an image of an archive or directory; see [`import`].
    ///
    /// # Errors
    /// What is wrong with the source, or what went wrong in the store. Nothing is kept then.
    pub fn import_image(
        &self,
        source: ImportSource,
        reference: &ImageReference,
        changes: &[Change],
    ) -> Result<Image, RuntimeError> {
        let image = import(&self.images, source, reference, changes)?;
        self.tell_event(Event::image(&image.id, reference, Action::Import));
        Ok(image)
    }
}
